"""A client: trains its student on private examples, and answers requests of the server."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn import functional

from diswot.errors import DivergedError, RunError
from diswot.losses import parse_objective
from diswot.methods.federated._sharing import Arrays, Sharing
from diswot.networks.output import run as run_network
from diswot.seeding import seed_for, torch_seed
from diswot.students import build_student
from diswot.tasks import MOST_AT_ONCE, Dataset, class_labels, values_of
from diswot.training import STUDENT, Batches, DistillationMethod, Recipe, optimizer_of
from search_spaces import SearchSpace

Phase: TypeAlias = Literal["train", "tune"]
"""The two requests of a round: local training, and fine-tuning on fused knowledge."""

FUSED = "fused"
"""Name of the array with fused soft labels in a request."""


@dataclass(frozen=True)
class Request:
    """What the server asks of a client.

    Attributes:
        phase: `train` or `tune`.
        number: number of the round, from 1.
        arrays: fused soft labels, or mean weights of `fedavg`; empty if there is nothing to learn.
    """

    phase: Phase
    number: int
    arrays: Arrays = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What a client sends to the server, without its private examples.

    Attributes:
        client: name of the client.
        number: number of the round.
        arrays: soft labels for the public set, or weights with `fedavg`; empty after fine-tuning.
        samples: number of private examples with `fedavg`; otherwise 0.
    """

    client: str
    number: int
    arrays: Arrays = field(default_factory=dict)
    samples: int = 0

    @property
    def bytes(self) -> int:
        """Size of the arrays in bytes."""
        return size_of(self.arrays)


@dataclass(frozen=True)
class Answer:
    """A reply together with what stays with the client.

    Attributes:
        reply: the message to the server.
        state: the student's weights, in the format safetensors.
        measures: values of the task's metric by name; empty after local training.
        seconds: computing time.
    """

    reply: Reply
    state: bytes
    measures: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Client:
    """A client with its private data.

    Its answers depend only on the request and its state, so that they are the same in every
    process, and a repeated round gives the same result.

    Attributes:
        name: name of the client.
        data: private training examples, the public set as validation examples, and the common
            test examples.
        space: the search space.
        architecture: name of its student's architecture.
        recipe: recipe of its trainings; the epochs are those of all rounds.
        seed: seed of the initial weights.
        local_epochs: epochs on private examples per round.
        tuning_epochs: epochs on the public set per round.
        sharing: how knowledge is sent.
        shares_weights: whether it sends weights (`fedavg`).
        device: torch device.
    """

    name: str
    data: Dataset
    space: SearchSpace
    architecture: str
    recipe: Recipe
    seed: int
    local_epochs: int = 2
    tuning_epochs: int = 1
    sharing: Sharing = field(default_factory=Sharing)
    shares_weights: bool = False
    device: str = "cpu"

    def build(self) -> nn.Module:
        """Return the student with its initial weights."""
        arch = self.space.from_string(self.architecture)
        return build_student(self.space, arch, self.data.signature, seed=self.seed)

    def student(self, state: bytes | None) -> nn.Module:
        """Return the student with the weights of a state; `None` for the initial ones."""
        network = self.build().to(self.device)
        if state is not None:
            network.load_state_dict(load(state))
        return network

    def answer(self, request: Request, state: bytes | None) -> Answer:
        """Answer a request.

        Args:
            request: what the server asks.
            state: the state after the last answer; `None` before the first one.

        Raises:
            DivergedError: a loss is not finite.
        """
        began = time.perf_counter()
        with one_thread(), torch_seed(seed_for(self.recipe.seed, request.phase, request.number)):
            network = self.student(state)
            if request.phase == "train":
                reply, measures = self._trained(network, request), {}
            else:
                self._tune(network, request)
                reply = Reply(self.name, request.number)
                measures = self.measures(network)
        return Answer(reply, weights_of(network), measures, time.perf_counter() - began)

    def _trained(self, network: nn.Module, request: Request) -> Reply:
        self.train(network, request.number)
        if self.shares_weights:
            arrays = {name: t.detach().cpu().numpy() for name, t in network.state_dict().items()}
            return Reply(self.name, request.number, arrays, self.data.size("train"))
        soft = self.knowledge(network)
        arrays = self.sharing.packed(soft, self.recipe.seed, request.number)
        return Reply(self.name, request.number, arrays)

    def _tune(self, network: nn.Module, request: Request) -> None:
        if self.shares_weights and request.arrays:
            network.load_state_dict({n: torch.from_numpy(a) for n, a in request.arrays.items()})
        elif FUSED in request.arrays:
            self.tune(network, request.arrays[FUSED], request.number)

    def train(self, network: nn.Module, number: int) -> None:
        """Train on the private examples: the local training of a round (equation 3).

        Args:
            network: the student, which is changed.
            number: number of the round, from 1.
        """
        method = DistillationMethod(network, parse_objective("ce"), seed=self.recipe.seed)
        method.setup(self.data, self.device)
        source = method.batches(self.data, self.recipe, device=self.device)
        batches = Batches(self.data.size("train"), source, self.recipe)
        optimizer = self._optimizer(network)
        first = (number - 1) * self.local_epochs
        network.train()
        for epoch in range(first, first + self.local_epochs):
            for step, batch in enumerate(batches.epoch(epoch, range(batches.steps))):
                position = epoch + (step + 0.5) / batches.steps
                loss = method.losses(STUDENT, batch, position / self.recipe.epochs).total
                self._step(network, optimizer, loss, position)

    def knowledge(self, network: nn.Module) -> NDArray[np.float32]:
        """Return the student's class probabilities (S, C) for the public set.

        Args:
            network: the student.
        """
        network.eval()
        positions = torch.split(torch.arange(self.data.size("val")), MOST_AT_ONCE)
        with torch.inference_mode():
            soft = [self._outputs(network, indices).softmax(1).cpu() for indices in positions]
        result: NDArray[np.float32] = torch.cat(soft).numpy()
        return result

    def tune(self, network: nn.Module, fused: NDArray[np.float32], number: int) -> None:
        """Fine-tune on the public set: minimize KL(F̃ ‖ f) to fused soft labels.

        The paper's temperature is not known; here it is 1.

        Args:
            network: the student, which is changed.
            fused: fused soft labels (S, C).
            number: number of the round, from 1.
        """
        targets = torch.from_numpy(np.array(fused)).to(self.device)
        optimizer, count = self._optimizer(network), len(targets)
        size = min(self.recipe.batch_size, count)
        network.train()
        for epoch in range(self.tuning_epochs):
            seed = seed_for(self.recipe.seed, "public", number, epoch)
            order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
            for indices in torch.split(order[: count - count % size], size):
                student = self._outputs(network, indices).log_softmax(1)
                loss = functional.kl_div(student, targets[indices], reduction="batchmean")
                self._step(network, optimizer, loss, number * self.local_epochs - 0.5)

    def measures(self, network: nn.Module) -> dict[str, float]:
        """Return the metric on the test split: for all examples, and for the own label mix.

        The value for the own mix is Σ_c p(c) v_c, with the fractions p(c) of classes among the
        private examples and the mean values v_c of classes in the test split.

        Args:
            network: the student.
        """
        values = values_of(
            self.data.metrics[0], network, self.data, "test", device=self.device
        ).double()
        return {"own": own_mix(values, self.data), "global": float(values.mean())}

    def _outputs(self, network: nn.Module, indices: Tensor) -> Tensor:
        batch = self.data.batch("val", indices, device=self.device)
        return run_network(network, *batch.inputs, who=self.name)

    def _optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        return optimizer_of(list(network.parameters()), self.recipe)

    def _step(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, position: float
    ) -> None:
        if not torch.isfinite(loss):
            raise DivergedError(f"the loss of {self.name} is {float(loss)}: lower --learning-rate")
        for group in optimizer.param_groups:
            group["lr"] = self.recipe.rate(position)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if self.recipe.max_grad_norm is not None:
            nn.utils.clip_grad_norm_(network.parameters(), self.recipe.max_grad_norm)
        optimizer.step()


def weights_of(network: nn.Module) -> bytes:
    """Return the weights of a network in the format safetensors."""
    return save({n: t.detach().cpu().contiguous() for n, t in network.state_dict().items()})


def own_mix(values: Tensor, data: Dataset) -> float:
    """Return the mean of test values (n,) with the label mix of the training examples.

    Classes without test examples are left out.

    Raises:
        RunError: no class of the training examples is in the test split.
    """
    test, mix = class_labels(data, "test"), class_labels(data, "train")
    total, weight = 0.0, 0.0
    for label in sorted(set(mix.tolist())):
        chosen = test == label
        if chosen.any():
            share = float((mix == label).double().mean())
            total += share * float(values[chosen].mean())
            weight += share
    if weight == 0:
        raise RunError("Expected test examples of the client's classes, but there are none")
    return total / weight


def size_of(arrays: Arrays) -> int:
    """Return the size of arrays in bytes."""
    return sum(array.nbytes for array in arrays.values())


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread inside the block, so that results do not depend on the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
