"""Evaluate a network on a split, in one or several processes."""

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from diswot.tasks import (
    ClassMetrics,
    Dataset,
    LabelMetrics,
    Measure,
    Metric,
    SplitName,
    class_labels,
    values_of,
)

if TYPE_CHECKING:
    from accelerate import Accelerator


def measured(
    network: nn.Module,
    data: Dataset,
    split: SplitName,
    accelerator: "Accelerator",
    *,
    device: str,
    predicted: Tensor | None = None,
) -> tuple[Measure, Tensor | None]:
    """Return the first metric of a network on a split; each process evaluates its share.

    Args:
        network: the network.
        data: the dataset.
        split: "train", "val" or "test".
        accelerator: the accelerator of the training.
        device: torch device.
        predicted: receives the predicted class of every example (n,), if the metric is one of
            classifiers.

    Returns:
        The measure, and the metric's values (n,) for all examples; `None` instead of the values
        if the metric is not a mean over examples.
    """
    metric, processes = data.metrics[0], accelerator.num_processes
    if processes > 1:
        _share_buffers(network)
    if not _by_example(metric):
        return metric.measure(network, data, split, device=device), None
    values = values_of(
        metric,
        network,
        data,
        split,
        device=device,
        part=accelerator.process_index,
        of=processes,
        seen=None if predicted is None else partial(_classify, predicted),
    )
    if processes > 1:
        values = accelerator.reduce(values.to(device), "sum").cpu()
        if predicted is not None:
            predicted.copy_(accelerator.reduce(predicted.to(device), "sum").cpu())
    return metric.summarize(values, data, split), values


def measured_classes(
    network: nn.Module,
    data: Dataset,
    accelerator: "Accelerator",
    *,
    device: str,
) -> tuple[Measure, Tensor | None, ClassMetrics | LabelMetrics | None]:
    """Return the first metric on the test split, its values, and metrics per class.

    Args:
        network: the network.
        data: the dataset.
        accelerator: the accelerator of the training.
        device: torch device.

    Returns:
        As `measured`, and metrics per class or label; `None` for networks that are not
        classifiers, or if the metric does not evaluate example by example.
    """
    metric = data.metrics[0]
    if not (metric.classifies and _by_example(metric)):
        test, values = measured(network, data, "test", accelerator, device=device)
        by_label = None if values is None else metric.class_metrics(values, data, "test")
        return test, values, by_label
    predicted = torch.zeros(data.size("test"), dtype=torch.long)
    test, values = measured(network, data, "test", accelerator, device=device, predicted=predicted)
    labels, names = class_labels(data, "test"), getattr(data, "classes", None)
    outputs = data.signature.outputs
    return test, values, ClassMetrics.of(labels, predicted, classes=outputs, names=names)


def _by_example(metric: Metric) -> bool:
    """Return whether a metric is computed from values per example."""
    return type(metric).measure is Metric.measure


def _classify(predicted: Tensor, indices: Tensor, output: Tensor) -> None:
    predicted[indices] = output.argmax(1).cpu()


def _share_buffers(network: nn.Module) -> None:
    """Copy the buffers (batch statistics) of rank 0 to all processes, so that results agree."""
    from accelerate.utils import broadcast

    for buffer in network.buffers():
        buffer.copy_(broadcast(buffer.clone()))
