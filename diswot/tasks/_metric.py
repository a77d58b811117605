"""How good a network is, example by example and as one number."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from diswot.networks import named
from diswot.networks.output import run
from diswot.tasks._batch import Batch
from diswot.tasks._difference import Difference, mean_difference
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._measure import Measure

MOST_AT_ONCE = 250
"""Examples of a batch of which nothing but outputs is wanted."""


class Metric(ABC):
    """A number per example, and what becomes of all of them.

    A subclass computes [`values`][diswot.tasks.Metric.values] from what the network returns,
    and summarizes them. Values of two networks on the same split are paired by example, so
    that differences have intervals. A metric that is no summary of numbers per example (mAP,
    a distance of distributions) overrides [`measure`][diswot.tasks.Metric.measure].

    Attributes:
        name: what it is called in tables.
        unit: see [`Measure`][diswot.tasks.Measure].
        higher_is_better: which way is better.
    """

    name: str
    unit: str = "%"
    higher_is_better: bool = True

    @abstractmethod
    def values(self, output: Tensor, batch: Batch) -> Tensor:
        """Return one number per example: (B,).

        Args:
            output: what the network returned: (B, …).
            batch: the examples, on the device of the output.
        """

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
            one: values of all examples of a split (n,).
            other: values of the same examples from another network (n,).
            dataset: the examples.
            split: which of them.

        Raises:
            ValueError: they are of different numbers of examples, or of none.
        """
        return mean_difference(one, other, unit=self.unit)

    def same(self, output: Tensor, reference: Tensor, *, tolerance: float) -> Tensor:
        """Return whether two forms of a network answer each example alike: (B,), of booleans.

        By default no output differs by more than ten times the tolerance: it is one of a few
        examples, and these are many.

        Args:
            output: what one form returned: (B, …).
            reference: what the network itself returned.
            tolerance: by how much outputs may differ, in units of the largest.
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
        """Return by how much a measure may change where outputs are rounded in another way.

        Args:
            measure: of the outputs.
            outputs: of all examples, batch by batch: (B, …) each.
            tolerance: by how much outputs may change, in units of the largest.
        """
        return tolerance * abs(measure.value)

    @abstractmethod
    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName, /) -> bool:
        """Return whether a network may be no better than chance, given the values on one split.

        Args:
            values: of all examples of the split (n,).
            dataset: the examples.
            split: which of them.
        """

    @abstractmethod
    def summarize(self, values: Tensor, dataset: Examples, split: SplitName, /) -> Measure:
        """Return the measure of the values (n,) of all examples of a split, with interval."""

    def measure(
        self, network: nn.Module, dataset: Examples, split: SplitName, *, device: str = "cpu"
    ) -> Measure:
        """Return the measure of a network on a split, in evaluation mode."""
        found = values_of(self, network, dataset, split, device=device)
        return self.summarize(found, dataset, split)


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
) -> Tensor:
    """Return a metric's values of a split (n,), in evaluation mode; 0 outside the part.

    Args:
        metric: what is measured.
        network: is moved to the device, and left in evaluation mode.
        dataset: the examples.
        split: which of them.
        device: where to compute.
        part: which of `of` equal parts of the batches is measured: the values of processes
            that share a split add up.
        of: how many parts there are.
    """
    network.to(device).eval()
    who = named(network)
    found = torch.zeros(dataset.size(split), dtype=torch.double)
    places = torch.arange(dataset.size(split))
    for number, indices in enumerate(torch.split(places, MOST_AT_ONCE)):
        if number % of == part:
            batch = dataset.batch(split, indices, device=device)
            output = run(network, *batch.inputs, who=who)
            found[indices] = metric.values(output, batch).double().cpu()
    return found
