"""A student that is scored: its network, a batch, and cached forward and backward passes."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import DataError, NetworkError
from diswot.networks import ActivationReader, Activations, ForwardPass, Watch, named
from diswot.networks.costs import Costs
from diswot.networks.layers import WeightLayer, weight_layers
from diswot.seeding import seed_for
from search_spaces import Signature

LAYER_OUTPUTS = Watch(weight_layers, lambda _given, _output: None)
"""Watch with which a probe records what `Probe.output_gradients` needs."""

ALL = slice(None)

_NO_NUMBERS = "which this score cannot perturb: use another scorer"


class Probe(Activations):
    """A student as seen by scorers; passes are made on first use and cached.

    Activations of the forward pass (`output`, `features`, `feature_map`, …) are those of
    [`Activations`][diswot.networks.Activations].

    Args:
        network: the student, in the mode for scoring; it is moved to the device of the inputs.
        *inputs: inputs of the batch, each (B, …).
        labels: class of each example (B,); `None` without classes.
        costs: parameters and MACs of the architecture.
        seed: seed of random numbers in scores.
        watches: activations to record in the forward pass.
        differentiable: whether the forward pass is recorded by autograd.
        signature: ranges of integer inputs; needed for noise of such inputs.

    Examples:
        >>> network = nn.Sequential(
        ...     nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        ...     nn.Linear(8, 10))
        >>> probe = Probe(network, torch.randn(4, 3, 6, 6), labels=torch.tensor([0, 1, 2, 3]),
        ...               costs=Costs(314, 3536), seed=0, differentiable=True)
        >>> [gradient.shape for _, gradient in probe.weight_gradients]
        [torch.Size([8, 3, 3, 3]), torch.Size([10, 8])]
    """

    def __init__(
        self,
        network: nn.Module,
        *inputs: Tensor,
        labels: Tensor | None = None,
        costs: Costs,
        seed: int,
        watches: Sequence[Watch[Any]] = (),
        differentiable: bool = False,
        signature: Signature | None = None,
    ) -> None:
        self.who = named(network)
        # With channels-last memory, convolutions on a CPU take half to two thirds of the time.
        self.network = network.to(inputs[0].device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.inputs = tuple(_prepared(item, differentiable=differentiable) for item in inputs)
        self.labels = labels
        self.costs = costs
        self._seed = seed
        self._signature = signature
        kept = weight_layers(network) if LAYER_OUTPUTS in watches else []
        self._outputs = {layer: _output_of(layer) for layer in kept}
        self._watches = (*watches, *self._outputs.values())
        self._differentiable = differentiable
        self._memory = {}

    @cached_property
    def _forward(self) -> ForwardPass:
        with (
            torch.set_grad_enabled(self._differentiable),
            ActivationReader(self.network, watches=self._watches, who=self.who) as read,
        ):
            return read.forward(*self.inputs)

    @property
    def targets(self) -> Tensor:
        """Class of each example: (B,).

        Raises:
            DataError: the batch has no labels.
        """
        if self.labels is None:
            raise DataError("this score needs the labels of the batch, but got none")
        return self.labels

    @cached_property
    def loss(self) -> Tensor:
        """Mean cross-entropy of the batch, a scalar."""
        with torch.enable_grad():
            return F.cross_entropy(self.output, self.targets)

    @property
    def weight_gradients(self) -> list[tuple[WeightLayer, Tensor]]:
        """Every convolution and linear layer, with the gradient of the loss for its weight.

        The gradient is zero for layers that the loss does not depend on.
        """
        layers = weight_layers(self.network)
        return list(zip(layers, self._loss_gradients[: len(layers)], strict=True))

    @property
    def output_gradients(self) -> list[tuple[WeightLayer, Tensor, Tensor]]:
        """Every call of a convolution or linear layer: layer, output, gradient of the output.

        Computed in the same backward pass as `weight_gradients`; needs the watch
        `LAYER_OUTPUTS`.
        """
        gradients = self._loss_gradients[len(weight_layers(self.network)) :]
        return [
            (layer, output, gradient)
            for (layer, output), gradient in zip(self._layer_calls, gradients, strict=True)
        ]

    @cached_property
    def _loss_gradients(self) -> list[Tensor]:
        """Gradients of the loss for all weights, then for all recorded outputs."""
        weights = [layer.weight for layer in weight_layers(self.network)]
        return self.gradients(self.loss, [*weights, *(output for _, output in self._layer_calls)])

    @cached_property
    def _layer_calls(self) -> list[tuple[WeightLayer, Tensor]]:
        watched = self._forward.watched
        return [
            (layer, output) for layer, watch in self._outputs.items() for output in watched[watch]
        ]

    @cached_property
    def input_gradients(self) -> Tensor:
        """Gradient of the sum of all outputs with respect to the inputs, flattened: (B, D).

        Integer inputs are left out.

        Raises:
            NetworkError: all inputs are integers.
        """
        reals = [item for item in self.inputs if item.is_floating_point()]
        if not reals:
            raise NetworkError(f"the inputs of {self.who} are whole numbers, {_NO_NUMBERS}")
        with torch.enable_grad():
            total = self.output.sum()
        return torch.cat([item.flatten(1) for item in self.gradients(total, reals)], dim=1)

    def examples(self, places: slice) -> tuple[Tensor, ...]:
        """Return the inputs of some examples of the batch."""
        return tuple(item[places] for item in self.inputs)

    def noise(
        self, generator: torch.Generator, places: slice = ALL, *, real: bool = False
    ) -> tuple[Tensor, ...]:
        """Return random inputs with the shapes of examples of the batch.

        Real inputs are drawn from N(0, 1), integers uniformly from their range; masks are true.

        Args:
            generator: CPU generator.
            places: examples whose shapes are used; by default the whole batch.
            real: whether at least one input must be real.

        Raises:
            NetworkError: all inputs are integers, and a real one is required or their range is
                not known.
        """
        examples = self.examples(places)
        reals = any(example.is_floating_point() for example in examples)
        if not reals and (real or self._signature is None):
            raise NetworkError(f"the inputs of {self.who} are whole numbers, {_NO_NUMBERS}")
        if self._signature is None:
            return tuple(
                torch.randn(example.shape, generator=generator).to(example)
                if example.is_floating_point()
                else example
                for example in examples
            )
        return tuple(
            replace(spec, shape=tuple(example.shape[1:]))
            .example(len(example), generator=generator)
            .to(example)
            for example, spec in zip(examples, self._signature.inputs, strict=True)
        )

    def gradients(
        self, of: Tensor, wrt: Sequence[Tensor], *, create_graph: bool = False
    ) -> list[Tensor]:
        """Return gradients by one backward pass; the autograd graph is retained.

        Args:
            of: a scalar.
            wrt: tensors with respect to which `of` is differentiated.
            create_graph: whether the gradients can be differentiated again.

        Returns:
            One gradient per tensor; zero if `of` does not depend on it.
        """
        with torch.enable_grad():
            return list(
                torch.autograd.grad(
                    of,
                    wrt,
                    retain_graph=True,
                    create_graph=create_graph,
                    allow_unused=True,
                    materialize_grads=True,
                )
            )

    def generator(self, purpose: str) -> torch.Generator:
        """Return a CPU generator whose seed depends on student, repeat and `purpose`."""
        return torch.Generator().manual_seed(seed_for(self._seed, purpose))


def _prepared(values: Tensor, *, differentiable: bool) -> Tensor:
    if values.ndim == 4:
        values = values.contiguous(memory_format=torch.channels_last)
    if differentiable and values.is_floating_point():
        return values.detach().requires_grad_()
    return values


def _output_of(layer: WeightLayer) -> Watch[Tensor]:
    return Watch(lambda _network: [layer], lambda _given, output: output)
