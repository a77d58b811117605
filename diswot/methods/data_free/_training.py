"""Distillation on pseudo-samples in place of training examples."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from diswot.errors import NetworkError
from diswot.losses import Losses, Objective
from diswot.methods.data_free._data import PseudoBatches
from diswot.methods.data_free._generator import ImageGenerator
from diswot.methods.data_free._noise import InputStatistics, input_statistics
from diswot.methods.data_free._objectives import OBJECTIVES, GeneratorObjective
from diswot.networks import ActivationReader
from diswot.seeding import seed_for, torch_seed
from diswot.tasks import Batch, Changes, Dataset, TrainingBatches
from diswot.training import STUDENT, DistillationMethod, Player, Recipe, called

GENERATOR = "generator"
"""Name of the player that makes the pseudo-samples."""


class DataFreeMethod(DistillationMethod):
    """Trains a student on pseudo-samples: generated images, noise, or distorted images.

    With `dafl` and `zskt`, a generator is a second player, whose loss is that of
    `diswot.methods.data_free.OBJECTIVES`; the student gets its images without gradient. Only
    with `distorted` training images are read, without their labels.

    Source: AF-STip (arXiv 2412.11175) for noise and distorted inputs; DAFL (Chen et al., ICCV
    2019) and ZSKT (Micaelli and Storkey, NeurIPS 2019) for generators.

    Args:
        student: the network to train.
        objective: a loss of student and teacher without labels.
        teachers: the teacher, by name.
        seed: seed of the generator's initial weights.
        options: options of `DataFreeOptions`, including defaults.

    Raises:
        OptionError: there is no teacher.
    """

    generator: ImageGenerator

    def __init__(
        self,
        student: nn.Module,
        objective: Objective,
        *,
        teachers: Mapping[str, nn.Module] | None = None,
        seed: int = 0,
        options: Mapping[str, Any],
    ) -> None:
        super().__init__(student, objective, teachers=teachers, seed=seed)
        self._options = dict(options)
        self._generated = OBJECTIVES.get(options["samples"])
        self._statistics: InputStatistics | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """Loss, teacher and options, for the fingerprint of a training."""
        return {**super().settings, "data_free": self._options}

    def setup(self, data: Dataset, device: str) -> None:
        """Create the generator, or estimate the statistics of the noise.

        Args:
            data: the dataset, of which only the signature is used unless images are distorted.
            device: torch device.

        Raises:
            TeacherError: the teacher has no statistics from which noise can be made.
            NetworkError: the inputs are not images.
        """
        self._shape = image_shape(data)
        if self._generated is not None:
            with torch_seed(seed_for(self._seed, GENERATOR)):
                self.generator = ImageGenerator(self._shape, latent=self._options["latent_size"])
        super().setup(data, device)
        if self._options["samples"] == "noise":
            self._statistics = input_statistics(next(iter(self.teachers.values())))

    def examples(self, data: Dataset, device: str) -> tuple[Tensor, ...]:
        """Return noise in the shape of the inputs."""
        return data.signature.example(4, device=device)

    def examples_per_epoch(self, data: Dataset) -> int:
        """Return the number of pseudo-samples per epoch; distorted images are used once each."""
        if self._options["samples"] == "distorted":
            return super().examples_per_epoch(data)
        return int(self._options["samples_per_epoch"])

    def batches(self, data: Dataset, changes: Changes, *, device: str = "cpu") -> TrainingBatches:
        """Return batches of noise; with `distorted`, of training images without their labels."""
        if self._options["samples"] == "distorted":
            return super().batches(data, changes, device=device)
        return PseudoBatches(data.signature, device)

    def players(self) -> Mapping[str, Player]:
        """Return the student, after the generator if there is one."""
        if self._generated is None:
            return super().players()
        own = {id(each) for each in self.generator.parameters()}
        trained = [each for each in self.parameters() if each.requires_grad]
        recipe = Recipe(
            1,
            optimizer="adamw",
            learning_rate=self._options["generator_rate"],
            weight_decay=0.0,
            schedule="cosine",
        )
        return {
            GENERATOR: Player(
                list(self.generator.parameters()), every=self._generated.every, recipe=recipe
            ),
            STUDENT: Player([each for each in trained if id(each) not in own]),
        }

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Attach the readers' forward hooks inside the block."""
        first = next(iter(self.teachers))
        self._teacher = ActivationReader(self.teachers[first], who=called(first))
        with super().watching(), self._teacher:
            yield

    def losses(self, player: str, batch: Batch, progress: float) -> Losses:
        """Return the loss of the generator, or that of the student on pseudo-samples.

        Args:
            player: `generator` or `student`.
            batch: its size is that of the pseudo-samples.
            progress: fraction of the training that is done, from 0 to 1.
        """
        if self._generated is not None and player == GENERATOR:
            return self._of_generator(self._generated, len(batch))
        with torch.no_grad():
            images = self._samples(batch)
        unlabeled = replace(batch, inputs=(images,), labels=None, views={})
        return super().losses(player, unlabeled, progress)

    def _of_generator(self, generated: GeneratorObjective, count: int) -> Losses:
        images = self.generator.sample(count)
        terms = generated.terms(self._teacher(images), self._read(images).output)
        total = torch.stack(list(terms.values())).sum()
        return Losses(total, {name: term.detach() for name, term in terms.items()})

    def _samples(self, batch: Batch) -> Tensor:
        (given,) = batch.inputs
        if self._generated is not None:
            return self.generator.sample(len(batch))
        if self._statistics is not None:
            return self._statistics.sample(len(batch), self._shape).to(given)
        noise: Tensor = self._options["distortion"] * torch.randn_like(given)
        return given + noise


def image_shape(data: Dataset) -> tuple[int, int, int]:
    """Return channels, height and width of the inputs.

    Raises:
        NetworkError: the networks do not have one image as their input.
    """
    shapes = [each.shape for each in data.signature.inputs if each.dtype == "float32"]
    if len(shapes) != 1 or len(shapes[0]) != 3 or None in shapes[0]:
        raise NetworkError(
            f"Expected networks of one image (channels, height, width), but got inputs of shape "
            f"{', '.join(map(str, shapes)) or 'none'}: pseudo-samples are images"
        )
    channels, height, width = shapes[0]
    return channels, height, width  # type: ignore[return-value]
