"""Measuring a network on a split that processes share."""

from typing import TYPE_CHECKING

from torch import nn

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
) -> Measure:
    """Return the first metric of a network on a split, of which every process measures a share."""
    metric, processes = data.metrics[0], accelerator.num_processes
    if processes > 1:
        _share_buffers(network)
    if processes == 1 or type(metric).measure is not Metric.measure:  # not example by example
        return metric.measure(network, data, split, device=device)
    values = values_of(
        metric,
        network,
        data,
        split,
        device=device,
        part=accelerator.process_index,
        of=processes,
    )
    return metric.summarize(accelerator.reduce(values.to(device), "sum").cpu(), data, split)


def _share_buffers(network: nn.Module) -> None:
    """Give all processes the statistics of the first, each having those of its own share."""
    from accelerate.utils import broadcast

    for buffer in network.buffers():
        buffer.copy_(broadcast(buffer.clone()))
