"""Distillation on pseudo-samples in place of training examples."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from diswot.losses import Losses
from diswot.methods._train_reads import counting_reads
from diswot.methods._unlabeled import UnlabeledMethod
from diswot.methods.data_free._kinds import pseudo_inputs
from diswot.methods.data_free._objectives import OBJECTIVES, GeneratorObjective
from diswot.seeding import seed_for, torch_seed
from diswot.tasks import Batch, Changes, Dataset, TrainingBatches
from diswot.training import STUDENT, TRAIN_READS, Player, Recipe

GENERATOR = "generator"
"""Name of the player that makes the pseudo-samples."""

EXAMPLES = 4
"""Batch size of the forward pass with which the criterion is built."""


class DataFreeMethod(UnlabeledMethod):
    """Trains a student on pseudo-samples: generated inputs, noise, or distorted inputs.

    With `dafl` and `zskt`, a generator is a second player, whose loss is that of
    `diswot.methods.data_free.OBJECTIVES`; the student gets its samples without gradient. Only
    with `distorted` training examples are read, without their labels.

    Source: AF-STip (arXiv 2412.11175) for noise and distorted inputs; DAFL (Chen et al., ICCV
    2019) and ZSKT (Micaelli and Storkey, NeurIPS 2019) for generators.

    Args:
        student: the network to train.
        objective: a loss of student and teacher without labels.
        teachers: the teacher, by name.
        seed: seed of the generator's initial weights.
        options: options of `DataFreeOptions`, including defaults.

    Raises:
        OptionError: there is no teacher, or the loss reads labels.
    """

    examples_name = "pseudo-samples"
    generator: nn.Module
    train_reads: Tensor

    @property
    def _distorts(self) -> bool:
        return bool(self._options["samples"] == "distorted")

    @property
    def _generated(self) -> GeneratorObjective | None:
        return OBJECTIVES.get(self._options["samples"])

    @property
    def settings(self) -> dict[str, Any]:
        """Loss, teacher and options, for the fingerprint of a training."""
        return {**super().settings, "data_free": self._options}

    def reading(self, data: Dataset) -> Dataset:
        """Return the dataset with a counter of the training examples that are read from it."""
        self.register_buffer("train_reads", torch.zeros((), dtype=torch.long))
        return counting_reads(data, lambda count: self.train_reads.add_(count))

    def epoch_values(self) -> Mapping[str, float]:
        """Return the number of training examples that were read so far."""
        return {TRAIN_READS: float(self.train_reads)}

    def setup(self, data: Dataset, device: str) -> None:
        """Create the generator and build the criterion.

        Args:
            data: the dataset, of which only the signature is used unless inputs are distorted.
            device: torch device.

        Raises:
            NetworkError: the inputs are neither images nor tokens.
            OptionError: the loss is first trained on teacher outputs for training examples.
        """
        self._inputs = pseudo_inputs(data.signature)
        if self._generated is not None:
            with torch_seed(seed_for(self._seed, GENERATOR)):
                self.generator = self._inputs.generator(self._options["latent_size"])
        super().setup(data, device)

    def examples(self, data: Dataset, device: str) -> tuple[Tensor, ...]:
        """Return noise in the shape of the inputs."""
        return data.signature.example(EXAMPLES, device=device)

    def examples_per_epoch(self, data: Dataset) -> int:
        """Return the number of pseudo-samples per epoch; distorted inputs are used once each."""
        if self._distorts:
            return super().examples_per_epoch(data)
        return int(self._options["samples_per_epoch"])

    def batches(self, data: Dataset, changes: Changes, *, device: str = "cpu") -> TrainingBatches:
        """Return random vectors for the generator, noise, or distorted training examples.

        Raises:
            TeacherError: the teacher has no statistics from which noise can be made.
            NetworkError: the inputs are neither images nor tokens.
        """
        inputs, teacher = pseudo_inputs(data.signature), next(iter(self.teachers.values()))
        if self._generated is not None:
            return inputs.vectors(self._options["latent_size"], device)
        if self._distorts:
            source = super().batches(data, changes, device=device)
            return inputs.distorted(source, teacher, self._options["distortion"])
        return inputs.noise(teacher, device)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Attach the readers' forward hooks, and let networks take pseudo-samples."""
        with super().watching(), ExitStack() as contexts:
            for network in (self.student, *self.teachers.values()):
                contexts.enter_context(self._inputs.reading(network))
            yield

    def players(self) -> Mapping[str, Player]:
        """Return the student, after the generator if there is one."""
        players = super().players()
        if self._generated is None:
            return players
        generator = list(self.generator.parameters())
        of_generator = set(map(id, generator))
        recipe = Recipe(
            1,
            optimizer="adamw",
            learning_rate=self._options["generator_rate"],
            weight_decay=0.0,
            schedule="cosine",
        )
        others = [each for each in players[STUDENT].parameters if id(each) not in of_generator]
        return {
            GENERATOR: Player(generator, every=self._generated.every, recipe=recipe),
            STUDENT: Player(others),
        }

    def losses(self, player: str, batch: Batch, progress: float) -> Losses:
        """Return the loss of the generator, or that of the student on pseudo-samples.

        Args:
            player: `generator` or `student`.
            batch: the pseudo-samples, or random vectors for the generator.
            progress: fraction of the training that is done, from 0 to 1.
        """
        if self._generated is None:
            return super().losses(player, batch, progress)
        if player == GENERATOR:
            return self._of_generator(self._generated, *batch.inputs)
        vectors, *others = batch.inputs
        with torch.no_grad():
            samples = self.generator(vectors)
        return super().losses(player, replace(batch, inputs=(samples, *others)), progress)

    def _of_generator(
        self, objective: GeneratorObjective, vectors: Tensor, *others: Tensor
    ) -> Losses:
        samples = self.generator(vectors)
        read = next(iter(self._readers.values()))
        terms = objective.terms(read(samples, *others), self._read(samples, *others).output)
        total = torch.stack(list(terms.values())).sum()
        return Losses(total, {name: term.detach() for name, term in terms.items()})
