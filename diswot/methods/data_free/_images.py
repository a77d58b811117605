"""Pseudo-samples for networks of images."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from torch import nn

from diswot.methods.data_free._batches import DistortedBatches, NoiseBatches
from diswot.methods.data_free._generator import ImageGenerator
from diswot.methods.data_free._inputs import PseudoInputs
from diswot.methods.data_free._noise import input_statistics
from diswot.tasks import TrainingBatches


@dataclass(frozen=True)
class ImageInputs(PseudoInputs):
    """Pseudo-samples for networks of one image.

    Attributes:
        shape: channels, height and width.
    """

    shape: tuple[int, int, int]

    def generator(self, latent: int) -> nn.Module:
        """Return a generator of images."""
        return ImageGenerator(self.shape, latent=latent)

    def vectors(self, latent: int, device: str) -> TrainingBatches:
        """Return batches of random vectors for the generator."""
        return NoiseBatches((latent,), device)

    def noise(self, teacher: nn.Module, device: str) -> TrainingBatches:
        """Return batches of noise with the statistics of the teacher's first layers.

        Raises:
            TeacherError: the teacher has no such statistics.
        """
        return NoiseBatches(self.shape, device, input_statistics(teacher))

    def distorted(
        self,
        source: TrainingBatches,
        teacher: nn.Module,  # noqa: ARG002
        std: float,
    ) -> TrainingBatches:
        """Return batches of a source with noise on their pixels."""
        return DistortedBatches(source, std)

    def reading(self, network: nn.Module) -> AbstractContextManager[None]:  # noqa: ARG002
        """Return a context without effect: networks take images as they are."""
        return nullcontext()
