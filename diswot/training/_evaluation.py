"""Measuring a network on a split that processes share."""

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
    """Return the first metric of a network on a split, of which every process measures a share.

    With it come the metric's values of all examples (n,); `None` where it has none.
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
    """Give all processes the statistics of the first, each having those of its own share."""
    from accelerate.utils import broadcast

    for buffer in network.buffers():
        buffer.copy_(broadcast(buffer.clone()))
