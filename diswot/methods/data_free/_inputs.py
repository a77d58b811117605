"""The interface of pseudo-samples for one kind of input."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from torch import nn

from diswot.tasks import TrainingBatches


class PseudoInputs(ABC):
    """How pseudo-samples of one kind of input, such as images, are made and taken."""

    @abstractmethod
    def generator(self, latent: int) -> nn.Module:
        """Return a generator, which maps random vectors (B, latent) to the first input.

        Args:
            latent: size of the random vectors.
        """

    @abstractmethod
    def vectors(self, latent: int, device: str) -> TrainingBatches:
        """Return batches of random vectors for the generator, with all inputs but the first.

        Args:
            latent: size of the random vectors.
            device: torch device of the batches.
        """

    @abstractmethod
    def noise(self, teacher: nn.Module, device: str) -> TrainingBatches:
        """Return batches of noise with the statistics of the teacher's training data.

        Args:
            teacher: the teacher.
            device: torch device of the batches.

        Raises:
            TeacherError: the teacher carries no such statistics.
        """

    @abstractmethod
    def distorted(self, source: TrainingBatches, teacher: nn.Module, std: float) -> TrainingBatches:
        """Return batches of real inputs with noise, without their labels.

        Args:
            source: batches of real inputs.
            teacher: the teacher.
            std: standard deviation of the noise.
        """

    @abstractmethod
    def reading(self, network: nn.Module) -> AbstractContextManager[None]:
        """Return a context in which a network takes pseudo-samples.

        Args:
            network: a student or a teacher.
        """
