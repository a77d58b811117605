"""Evaluate a network on a split, in one or several processes."""

from typing import TYPE_CHECKING

from torch import Tensor, nn

from diswot.tasks import Dataset, Measure, Metric, SplitName, values_of

if TYPE_CHECKING:
    from accelerate import Accelerator


def measured(
    network: nn.Module,
    data: Dataset,
    split: SplitName,
    accelerator: "Accelerator",
    *,
    device: str,
) -> tuple[Measure, Tensor | None]:
    """Return the first metric of a network on a split; each process evaluates its share.

    Args:
        network: the network.
        data: the dataset.
        split: "train", "val" or "test".
        accelerator: the accelerator of the training.
        device: torch device.

    Returns:
        The measure, and the metric's values (n,) for all examples; `None` instead of the values
        if the metric is not a mean over examples.
    """
    metric, processes = data.metrics[0], accelerator.num_processes
    if processes > 1:
        _share_buffers(network)
    if type(metric).measure is not Metric.measure:  # not example by example
        return metric.measure(network, data, split, device=device), None
    values = values_of(
        metric,
        network,
        data,
        split,
        device=device,
        part=accelerator.process_index,
        of=processes,
    )
    if processes > 1:
        values = accelerator.reduce(values.to(device), "sum").cpu()
    return metric.summarize(values, data, split), values


def _share_buffers(network: nn.Module) -> None:
    """Copy the buffers (batch statistics) of rank 0 to all processes, so that results agree."""
    from accelerate.utils import broadcast

    for buffer in network.buffers():
        buffer.copy_(broadcast(buffer.clone()))
