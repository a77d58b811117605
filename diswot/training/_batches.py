"""The batches of a training."""

from collections.abc import Generator, Iterable, Mapping

import torch
from torch import Tensor, nn

from diswot.errors import OptionError
from diswot.seeding import seed_for
from diswot.tasks import Batch, Dataset
from diswot.training._recipe import Recipe


class Batches:
    """Which examples a process takes in which step, changed as the recipe says.

    Args:
        data: the examples.
        recipe: the size of a batch, the order, and how examples are changed and mixed.
        device: where batches are needed.
        process: which takes its share of every batch.
        processes: how many there are.
        teachers: by name, those that get their own view of the examples where they have one.

    Attributes:
        size: examples of a step, of all processes.
        steps: of an epoch.
        parts: of a step, which are computed one after the other.
        fixed: whether an example is the same in every epoch.
        views: names of the teachers that get their own view, with what it is.

    Raises:
        OptionError: batches cannot be shared by so many processes and parts.
    """

    def __init__(
        self,
        data: Dataset,
        recipe: Recipe,
        device: str,
        *,
        process: int = 0,
        processes: int = 1,
        teachers: Mapping[str, nn.Module] | None = None,
    ) -> None:
        self.size = min(recipe.batch_size, data.size("train"))
        self.steps = recipe.steps_per_epoch(data.size("train"))
        self.parts = recipe.gradient_accumulation
        if self.size % (processes * self.parts):
            raise OptionError(
                f"Expected batches that can be divided by {processes * self.parts} "
                f"({processes} processes, gradient accumulation {self.parts}), but got {self.size} "
                "examples: give a multiple of it (--train-batch-size)"
            )
        self._examples, self._recipe = data.size("train"), recipe
        self._process, self._processes = process, processes
        self._take = data.training(recipe, device=device, teachers=teachers)
        self.fixed, self.views = self._take.fixed, self._take.views

    def order(self, epoch: int) -> Tensor:
        """Return the places (steps, parts, B) of this process's examples in the training split.

        Their order follows from the seed and the epoch.
        """
        generator = torch.Generator().manual_seed(seed_for(self._recipe.seed, "order", epoch))
        order = torch.randperm(self._examples, generator=generator)
        shape = (self.steps, self.parts, self._processes, -1)
        return order[: self.steps * self.size].view(shape)[:, :, self._process]

    def take(self, places: Tensor) -> Batch:
        """Return the examples of one forward pass, on the device.

        Changes are drawn from torch's global generator.
        """
        return self._take(places)

    def epoch(self, number: int, steps: Iterable[int]) -> Generator[Batch, None, None]:
        """Yield the batches of some steps of an epoch, for each step those of all its parts.

        What is drawn follows from the seed, the epoch and the step; a step that is named
        twice has the same batches twice.
        """
        order, seed = self.order(number), self._recipe.seed
        shares = (
            (order[step][part], seed_for(seed, "step", number, step, part, self._process))
            for step in steps
            for part in range(self.parts)
        )
        yield from self._take.epoch(shares, seed=seed_for(seed, "examples", number))
