"""Evaluate the exported network and its formats on the test split."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from diswot.errors import ExportError, OptionError
from diswot.export._comparison import TOLERANCE
from diswot.networks.output import output_of
from diswot.tasks import Dataset, Measure, Metric
from search_spaces import Signature

_OTHER_DEVICE = 1e-3
"""Tolerance of outputs if the reported metric may come from another device."""


@dataclass(frozen=True)
class Reference:
    """Outputs and metric of the network on the test split.

    Attributes:
        dataset: the dataset.
        outputs: outputs of the network, batch by batch, each (B, …).
        measure: metric of the network.
    """

    dataset: Dataset
    outputs: tuple[Tensor, ...]
    measure: Measure

    @property
    def metric(self) -> Metric:
        """The first metric of the dataset."""
        return self.dataset.metrics[0]

    def check(self, file: str, form: nn.Module) -> Measure:
        """Evaluate an fp32 format, and make sure that it agrees on all test examples.

        Args:
            file: name of the exported file, for messages.
            form: runs the format.

        Raises:
            ExportError: its predictions differ for some examples.
        """
        compared = _Compared(form, self)
        measure = self.metric.measure(compared, self.dataset, "test")
        if compared.different:
            raise ExportError(
                f"{file} is not the same network: its test {measure.name} is {measure}, the "
                f"student's is {self.measure}, and its predictions differ for "
                f"{compared.different:,} of {self.dataset.size('test'):,} test "
                f"{self.dataset.task.noun}s"
            )
        return measure

    def measured(self, form: nn.Module) -> Measure:
        """Evaluate a format whose predictions may differ, such as int8."""
        return self.metric.measure(form, self.dataset, "test")


class _Kept(nn.Module):
    """Wraps a network and keeps all of its outputs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self._network = network
        self.outputs: list[Tensor] = []

    def forward(self, *inputs: Tensor) -> Tensor:
        self.outputs.append(output_of(self._network(*inputs)))
        return self.outputs[-1]


class _Compared(nn.Module):
    """Wraps a format and compares its outputs with the network's, batch by batch.

    Attributes:
        different: number of examples on which they disagree.
    """

    def __init__(self, form: nn.Module, reference: Reference) -> None:
        super().__init__()
        self._form, self._metric = form, reference.metric
        self._expected = iter(reference.outputs)
        self.different = 0

    def forward(self, *inputs: Tensor) -> Tensor:
        output: Tensor = self._form(*inputs)
        same = self._metric.same(output, next(self._expected), tolerance=TOLERANCE)
        self.different += int((~same).sum())
        return output


def evaluated(network: nn.Module, dataset: Dataset) -> Reference:
    """Evaluate the network on the test split, and keep its outputs."""
    kept = _Kept(network)
    measure = dataset.metrics[0].measure(kept, dataset, "test")
    return Reference(dataset, tuple(kept.outputs), measure)


def check_reported(reference: Reference, metrics: Mapping[str, Any]) -> None:
    """Make sure that the metric reported after training is that of the network.

    Differences by rounding on another device are accepted. Nothing is compared if the metric
    was measured on other data.

    Args:
        reference: outputs and metric of the network.
        metrics: entries reported after training.

    Raises:
        ExportError: the metrics differ.
    """
    if "test" not in metrics:
        return
    result, reported = reference.measure, Measure.from_json(metrics["test"])
    known = metrics.get("data"), reported.name, reported.n
    if known != (reference.dataset.name, result.name, result.n):
        return
    # Another device rounds differently, so predictions near a tie may change.
    most = reference.metric.rounding(result, reference.outputs, tolerance=_OTHER_DEVICE)
    if abs(reported.value - result.value) > most + 1e-9:
        raise ExportError(
            f"the student's test {result.name} is {result}, but {reported} was reported "
            "after training: its weights have changed since, or its outputs depend on more than "
            "its inputs"
        )


def check_same_data(dataset: Dataset, signature: Signature) -> None:
    """Make sure that a student can be evaluated on a dataset.

    Raises:
        OptionError: their signatures differ.
    """
    if dataset.signature != signature:
        raise OptionError(
            f"{dataset.summary()}, and other inputs, outputs or normalization than the student "
            "was made for: name the data that it was trained on"
        )
