"""The batches of a training: order, shares of processes, and augmentation."""

from collections.abc import Generator, Iterable

import torch
from torch import Tensor

from diswot.errors import OptionError
from diswot.seeding import seed_for
from diswot.tasks import Batch, TrainingBatches
from diswot.training._balance import Balance
from diswot.training._recipe import Recipe


class Batches:
    """Draws the augmented batches of one process.

    Args:
        examples: number of training examples.
        source: returns augmented examples, on the device.
        recipe: batch size and seed.
        process: rank of this process.
        processes: number of processes, each of which takes its share of every batch.
        balance: class weights and frequencies of the examples; `None` without both.

    Attributes:
        source: returns augmented examples.
        size: examples per step, over all processes.
        steps: steps per epoch.
        parts: parts of a batch (gradient accumulation).
        teachers_fixed: whether teachers get the same examples in every epoch, unaugmented.
        views: descriptions of the teachers' own views, by the teachers' names.

    Raises:
        OptionError: the batch size cannot be divided by processes × parts.
    """

    def __init__(
        self,
        examples: int,
        source: TrainingBatches,
        recipe: Recipe,
        *,
        process: int = 0,
        processes: int = 1,
        balance: Balance | None = None,
    ) -> None:
        self.size = min(recipe.batch_size, examples)
        self.steps = recipe.steps_per_epoch(examples)
        self.parts = recipe.gradient_accumulation
        if self.size % (processes * self.parts):
            raise OptionError(
                f"Expected batches that can be divided by {processes * self.parts} "
                f"({processes} processes, gradient accumulation {self.parts}), but got {self.size} "
                "examples: give a multiple of it (--train-batch-size)"
            )
        self._examples, self._recipe = examples, recipe
        self._process, self._processes = process, processes
        self.source, self._balance = source, balance or Balance()
        self.teachers_fixed, self.views = source.teachers_fixed, source.views

    def order(self, epoch: int) -> Tensor:
        """Return the indices (steps, parts, B) of this process's training examples.

        The order depends only on the seed and the epoch. It is a permutation, or, with balanced
        sampling, drawn with replacement.

        Args:
            epoch: number of the epoch, from 0.
        """
        generator = torch.Generator().manual_seed(seed_for(self._recipe.seed, "order", epoch))
        frequencies, count = self._balance.frequencies, self.steps * self.size
        if frequencies is None:
            order = torch.randperm(self._examples, generator=generator)
        else:
            order = torch.multinomial(frequencies, count, replacement=True, generator=generator)
        shape = (self.steps, self.parts, self._processes, -1)
        return order[: self.steps * self.size].view(shape)[:, :, self._process]

    def take(self, places: Tensor) -> Batch:
        """Return the augmented examples of one forward pass, on the device.

        Augmentation uses torch's global generator.

        Args:
            places: indices (B,) in the training split.
        """
        return self._balance.weighted(self.source(places))

    def epoch(self, number: int, steps: Iterable[int]) -> Generator[Batch, None, None]:
        """Yield the batches of some steps of an epoch, one per part of each step.

        Random numbers depend only on the seed, the epoch and the step: a repeated step yields
        the same batches again, and a resumed training continues with the same ones.

        Args:
            number: number of the epoch, from 0.
            steps: numbers of the steps, from 0.
        """
        order, seed = self.order(number), self._recipe.seed
        shares = (
            (order[step][part], seed_for(seed, "step", number, step, part, self._process))
            for step in steps
            for part in range(self.parts)
        )
        batches = self.source.epoch(shares, seed=seed_for(seed, "examples", number))
        try:
            for batch in batches:
                yield self._balance.weighted(batch)
        finally:
            if isinstance(batches, Generator):  # it may read ahead in worker processes
                batches.close()
