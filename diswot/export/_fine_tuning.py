"""Quantization-aware fine-tuning: weights adapt to 8 bits, with torchao."""

import copy
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from diswot.errors import ExportError, first_line
from diswot.networks.output import output_of
from diswot.runtimes import quiet, require
from diswot.seeding import generator_for
from diswot.tasks import Dataset, Measure

PACKAGES = ("torchao",)
"""Packages with which networks are fine-tuned."""

STEPS = 300
"""Number of optimizer steps."""

_BATCH, _LEARNING_RATE = 32, 1e-3
_TOLERATED = 0.01
"""Loss above which fine-tuning is advised: a point, or this share of a metric in another unit."""


@dataclass(frozen=True)
class Quantization:
    """What 8 bits cost on the validation split, before and after fine-tuning.

    Attributes:
        exact: metric of the network in fp32.
        before: metric after post-training quantization.
        after: metric after fine-tuning and quantization; `None` without fine-tuning.
    """

    exact: Measure
    before: Measure
    after: Measure | None = None

    @property
    def lost(self) -> float:
        """By how much post-training quantization makes the metric worse."""
        return self.exact.merit - self.before.merit

    @property
    def is_large(self) -> bool:
        """Whether more than one point is lost, or 1 % of a metric in another unit."""
        scale = 1.0 if self.exact.unit == "%" else abs(self.exact.value)
        return self.lost > _TOLERATED * scale

    @property
    def is_improved(self) -> bool:
        """Whether the fine-tuned network is better, so that its file is the exported one."""
        return self.after is not None and self.after.merit > self.before.merit

    def to_json(self) -> dict[str, Any]:
        """Return the measures as JSON values."""
        measures = {"exact": self.exact, "before": self.before, "after": self.after}
        return {name: item.to_json() for name, item in measures.items() if item is not None}


def require_fine_tuning() -> None:
    """Make sure that networks can be fine-tuned here.

    Raises:
        MissingExtraError: torchao is not installed.
    """
    require(PACKAGES, "qat", "quantization-aware fine-tuning")


def fine_tuned(network: nn.Module, dataset: Dataset, *, steps: int = STEPS) -> nn.Module:
    """Return a copy of a network whose weights are fine-tuned for 8 bits.

    Weights and inputs of convolutions and linear layers are rounded as in the exported file
    (`torchao.quantization.pt2e.quantize_pt2e.prepare_qat_pt2e`), with gradients that pass
    through the rounding. The loss is the mean squared difference of the outputs from those of
    the network in fp32, relative to these: no labels are needed. Batch statistics stay as they are.

    Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", CVPR 2018, section 3. The loss, 300 steps of Adam with 32
    examples, and its learning rate, from 0.001 to 0 by a cosine, are ours.

    Args:
        network: the network in fp32, in evaluation mode; it is not changed.
        dataset: the dataset, of whose training split examples are drawn.
        steps: number of optimizer steps.

    Raises:
        ExportError: torchao cannot prepare the network.
    """
    simulated = _prepared(copy.deepcopy(network).requires_grad_(), dataset)
    parameters = list(simulated.parameters())
    optimizer = torch.optim.Adam(parameters, lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    drawn = generator_for("fine-tuning").integers(dataset.size("train"), size=(steps, _BATCH))
    for places in torch.from_numpy(drawn):
        inputs = dataset.batch("train", places).inputs
        with torch.no_grad():
            expected = output_of(network(*inputs))
        difference = output_of(simulated(*inputs)) - expected
        loss = difference.square().mean() / expected.square().mean().clamp_min(1e-12)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
    return _with_parameters(copy.deepcopy(network), dict(simulated.named_parameters()))


def _with_parameters(network: nn.Module, trained: dict[str, nn.Parameter]) -> nn.Module:
    """Copy trained parameters into a network by name, and return it."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name not in trained:
                raise ExportError(f"torchao renamed the weight {name}: leave --qat out")
            parameter.copy_(trained[name])
    return network


def _prepared(network: nn.Module, dataset: Dataset) -> nn.Module:
    """Return the network as a graph with simulated quantization, with fixed batch statistics."""
    inputs: tuple[Tensor, ...] = dataset.batch("train", torch.arange(2)).inputs
    batches = tuple({0: torch.export.Dim.AUTO} for _ in inputs)
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from torchao.quantization.pt2e import move_exported_model_to_eval
            from torchao.quantization.pt2e.quantize_pt2e import prepare_qat_pt2e

            from diswot.export._quantizer import quantizer

            program = torch.export.export(network.train(), inputs, dynamic_shapes=(batches,))
            prepared: nn.Module = prepare_qat_pt2e(program.module(), quantizer())
            move_exported_model_to_eval(prepared)
    except Exception as error:  # tracing and pattern matching can raise anything
        raise ExportError(
            f"torchao cannot prepare it for fine-tuning ({type(error).__name__}: "
            f"{first_line(error)}): leave --qat out"
        ) from error
    return prepared
