"""Base class of metrics: one value per example, and their summary."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from diswot.networks import named
from diswot.networks.output import run
from diswot.tasks._batch import Batch
from diswot.tasks._difference import Difference, mean_difference
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._label_metrics import LabelMetrics
from diswot.tasks._measure import Measure
from search_spaces import Signature

MOST_AT_ONCE = 250
"""Batch size of evaluation."""


class Metric(ABC):
    """Base class of metrics.

    A subclass computes one value per example from the network's outputs
    ([`values`][diswot.tasks.Metric.values]) and summarizes them. Values of two networks on the
    same split are paired by example to get an interval of their difference. A metric without
    values per example (mAP, FID) overrides [`measure`][diswot.tasks.Metric.measure].

    Attributes:
        name: name in tables.
        unit: `%` for fractions, or another unit; see [`Measure`][diswot.tasks.Measure].
        higher_is_better: whether higher values are better.
        classifies: whether it is a metric of classifiers, whose highest output is the predicted
            class, so that metrics per class can be computed too.
    """

    name: str
    unit: str = "%"
    higher_is_better: bool = True
    classifies: bool = False

    @abstractmethod
    def values(self, output: Tensor, batch: Batch) -> Tensor:
        """Return one value per example (B,), or as many as `shape` says (B, …).

        Args:
            output: output of the network (B, …).
            batch: the examples, on the same device.
        """

    def shape(self, signature: Signature) -> tuple[int, ...]:  # noqa: ARG002
        """Return the shape of the values of one example; by default one number each.

        Args:
            signature: shapes of the networks' inputs and outputs.
        """
        return ()

    def class_metrics(
        self,
        values: Tensor,  # noqa: ARG002
        dataset: Examples,  # noqa: ARG002
        split: SplitName,  # noqa: ARG002
        /,
    ) -> LabelMetrics | None:
        """Return metrics per label of networks that give an example any number of labels.

        By default `None`. Metrics of classifiers with one class per example are computed by
        `ClassMetrics` instead, see `classifies`.

        Args:
            values: values for all examples of a split (n, …).
            dataset: the dataset.
            split: which split.
        """
        return None

    def difference(
        self,
        one: Tensor,
        other: Tensor,
        dataset: Examples,  # noqa: ARG002  (which may know examples that belong together)
        split: SplitName,  # noqa: ARG002
        /,
    ) -> Difference:
        """Return the measure of `one` minus that of `other`, with its 95 % interval.

        Args:
            one: values of one network for all examples of a split (n,).
            other: values of another network for the same examples (n,).
            dataset: the dataset.
            split: which split.

        Raises:
            ValueError: they have different lengths, or are empty.
        """
        return mean_difference(one, other, unit=self.unit)

    def same(self, output: Tensor, reference: Tensor, *, tolerance: float) -> Tensor:
        """Return whether two forms of a network agree on each example: booleans (B,).

        By default, no output may differ by more than ten times the tolerance, which is meant
        for a few examples and is exceeded by some of many.

        Args:
            output: outputs of one form, such as an ONNX file (B, …).
            reference: outputs of the original network (B, …).
            tolerance: accepted difference of outputs, relative to the largest.
        """
        most = 10 * tolerance * reference.abs().max().clamp_min(1)
        return (output - reference).abs().flatten(1).amax(1) <= most

    def rounding(
        self,
        measure: Measure,
        outputs: Sequence[Tensor],  # noqa: ARG002  (a subclass may need them)
        *,
        tolerance: float,
    ) -> float:
        """Return by how much a measure may change due to rounding of outputs.

        Args:
            measure: the measure.
            outputs: outputs of all examples, batch by batch, each (B, …).
            tolerance: accepted change of outputs, relative to the largest.
        """
        return tolerance * abs(measure.value)

    @abstractmethod
    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName, /) -> bool:
        """Return whether a network is not clearly better than chance.

        Args:
            values: values for all examples of a split (n,).
            dataset: the dataset.
            split: which split.
        """

    @abstractmethod
    def summarize(self, values: Tensor, dataset: Examples, split: SplitName, /) -> Measure:
        """Summarize values as a measure with a 95 % interval.

        Args:
            values: values for all examples of a split (n,).
            dataset: the dataset.
            split: which split.
        """

    def measure(
        self, network: nn.Module, dataset: Examples, split: SplitName, *, device: str = "cpu"
    ) -> Measure:
        """Evaluate a network on a split.

        Args:
            network: the network, which is in evaluation mode afterwards.
            dataset: the dataset.
            split: which split.
            device: torch device.
        """
        result = values_of(self, network, dataset, split, device=device)
        return self.summarize(result, dataset, split)


@torch.no_grad()
def values_of(
    metric: Metric,
    network: nn.Module,
    dataset: Examples,
    split: SplitName,
    *,
    device: str = "cpu",
    part: int = 0,
    of: int = 1,
    seen: Callable[[Tensor, Tensor], None] | None = None,
) -> Tensor:
    """Return a metric's values (n, …) for all examples of a split.

    Args:
        metric: the metric.
        network: the network; it is moved to the device and left in evaluation mode.
        dataset: the dataset.
        split: which split.
        device: torch device.
        part: index of the part of the batches that is evaluated; values of other examples are
            0, so that the values of several processes can be added.
        of: number of parts.
        seen: called with the indices (B,) and outputs (B, …) of every batch.
    """
    network.to(device).eval()
    who = named(network)
    shape = dataset.size(split), *metric.shape(dataset.signature)
    result = torch.zeros(shape, dtype=torch.double)
    positions = torch.arange(dataset.size(split))
    for number, indices in enumerate(torch.split(positions, MOST_AT_ONCE)):
        if number % of == part:
            batch = dataset.batch(split, indices, device=device)
            output = run(network, *batch.inputs, who=who)
            result[indices] = metric.values(output, batch).double().cpu()
            if seen is not None:
                seen(indices, output)
    return result
