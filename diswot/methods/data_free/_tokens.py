"""Pseudo-samples for networks of tokens: mixtures of tokens at every position."""

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from diswot.methods._unlabeled import UnlabeledBatches
from diswot.methods.data_free._inputs import PseudoInputs
from diswot.methods.data_free._mixtures import taking_mixtures, token_embedding
from diswot.methods.data_free._noise import InputStatistics, without_statistics
from diswot.tasks import Batch, TrainingBatches

WIDTH = 64
"""Channels of the generator."""

SHARPNESS = 5.0
"""Standard deviation of the generator's logits over the batch."""

SHORTEST = 4
"""Pseudo-samples have at least one in so many of the longest number of tokens."""

_LAYERS = (nn.Embedding, nn.Linear, nn.LayerNorm, nn.modules.conv._ConvNd, _BatchNorm)


class TokenGenerator(nn.Module):
    """Maps random vectors to mixtures of tokens.

    A linear layer, then two blocks of upsampling and a convolution over three positions, as
    `ImageGenerator` has them for images; then a softmax over the tokens at every position. That
    tokens are generated as mixtures is ours.

    Args:
        vocabulary: number of token ids.
        length: number of positions.
        latent: size of the random vectors.

    Examples:
        >>> generator = TokenGenerator(50, 12, latent=16)
        >>> mixtures = generator(torch.zeros(4, 16))
        >>> mixtures.shape, bool(mixtures.sum(2).isclose(torch.ones(1)).all())
        (torch.Size([4, 12, 50]), True)
    """

    def __init__(self, vocabulary: int, length: int, *, latent: int) -> None:
        super().__init__()
        quarter, half = (math.ceil(length / part) for part in (4, 2))
        self.project = nn.Linear(latent, WIDTH * quarter)
        self.layers = nn.Sequential(
            nn.Unflatten(1, (WIDTH, quarter)),
            nn.BatchNorm1d(WIDTH),
            nn.Upsample(half),
            nn.Conv1d(WIDTH, WIDTH, 3, padding=1),
            nn.BatchNorm1d(WIDTH),
            nn.LeakyReLU(0.2),
            nn.Upsample(length),
            nn.Conv1d(WIDTH, WIDTH, 3, padding=1),
            nn.BatchNorm1d(WIDTH),
            nn.LeakyReLU(0.2),
            nn.Conv1d(WIDTH, vocabulary, 3, padding=1),
            nn.BatchNorm1d(vocabulary, affine=False),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """Return mixtures (B, L, V) for random vectors (B, latent)."""
        logits: Tensor = self.layers(self.project(vectors))
        return (SHARPNESS * logits.mT).softmax(-1)


def embedding_statistics(teacher: nn.Module, vocabulary: int) -> InputStatistics:
    """Return the mean and standard deviation of a teacher's embeddings in its training data.

    They are the running statistics of a batch normalization right behind the embedding. The
    paper (AF-STip) does not define its statistics; these are ours.

    Args:
        teacher: the teacher.
        vocabulary: number of token ids.

    Returns:
        Mean and standard deviation of every channel, both (C,).

    Raises:
        TeacherError: the layer after the embedding is not a batch normalization with running
            statistics.
    """
    embedding = token_embedding(teacher, vocabulary)
    layers = [module for module in teacher.modules() if isinstance(module, _LAYERS)]
    norm = next(iter(layers[layers.index(embedding) + 1 :]), None)
    mean, variance = (getattr(norm, f"running_{name}", None) for name in ("mean", "var"))
    if mean is None or variance is None or len(mean) != embedding.embedding_dim:
        raise without_statistics("no batch normalization with running statistics at its embedding")
    return InputStatistics(mean.cpu(), variance.clamp_min(1e-12).sqrt().cpu())


def random_masks(count: int, length: int) -> Tensor:
    """Return masks (count, length) of random lengths, by torch's global generator."""
    lengths = torch.randint(math.ceil(length / SHORTEST), length + 1, (count, 1))
    return torch.arange(length) < lengths


@dataclass(frozen=True)
class TokenInputs(PseudoInputs):
    """Pseudo-samples for networks of token ids and a mask.

    Noise is drawn in the space of the teacher's embeddings. Students, whose embeddings differ,
    get the same mixture of tokens: with embeddings E (V, C) of the teacher, noise e (C,) is the
    mixture e·E⁺ of least norm, whose embedding in the teacher is e. How students take the noise
    is ours, as the paper uses the same fixed embeddings for both.

    Attributes:
        vocabulary: number of token ids.
        length: number of tokens.
    """

    vocabulary: int
    length: int

    def generator(self, latent: int) -> nn.Module:
        """Return a generator of mixtures."""
        return TokenGenerator(self.vocabulary, self.length, latent=latent)

    def vectors(self, latent: int, device: str) -> TrainingBatches:
        """Return batches of random vectors for the generator, with masks of random lengths."""
        return TokenNoise(self, (latent,), device)

    def noise(self, teacher: nn.Module, device: str) -> TrainingBatches:
        """Return batches of noise with the statistics of the teacher's embeddings.

        Raises:
            TeacherError: the teacher has no such statistics.
        """
        statistics = embedding_statistics(teacher, self.vocabulary)
        shape = (self.length, len(statistics.mean))
        return TokenNoise(self, shape, device, statistics, self.inverse(teacher))

    def distorted(self, source: TrainingBatches, teacher: nn.Module, std: float) -> TrainingBatches:
        """Return batches of a source with noise on the teacher's embeddings of their tokens.

        The standard deviation is relative to that of the teacher's embeddings of all tokens.
        """
        embedding = token_embedding(teacher, self.vocabulary)
        own = embedding.weight[: self.vocabulary].detach().std(0).cpu()
        return DistortedTokens(source, std * own, self.inverse(teacher))

    def reading(self, network: nn.Module) -> AbstractContextManager[None]:
        """Return a context in which a network takes mixtures."""
        return taking_mixtures(network, self.vocabulary)

    @torch.no_grad()
    def inverse(self, teacher: nn.Module) -> Tensor:
        """Return the pseudoinverse (C, V) of the teacher's embeddings."""
        weight = token_embedding(teacher, self.vocabulary).weight[: self.vocabulary]
        inverse: Tensor = torch.linalg.pinv(weight.double())
        return inverse.float().cpu()


class TokenNoise(TrainingBatches):
    """Batches of normal noise with masks of random lengths, without labels.

    Args:
        inputs: vocabulary and length.
        shape: shape of the noise of one example.
        device: torch device.
        statistics: mean and standard deviation of the noise; by default 0 and 1.
        inverse: maps noise (…, C) to mixtures (…, V); by default the noise is returned.
    """

    fixed = False
    views: Mapping[str, str] = {}

    def __init__(
        self,
        inputs: TokenInputs,
        shape: tuple[int, ...],
        device: str,
        statistics: InputStatistics | None = None,
        inverse: Tensor | None = None,
    ) -> None:
        self._inputs, self._shape, self._device = inputs, shape, device
        self._statistics, self._inverse = statistics, inverse

    def __call__(self, indices: Tensor) -> Batch:
        """Return as many examples as there are `indices` (B,), by torch's global generator."""
        noise = torch.randn(len(indices), *self._shape)
        if self._statistics is not None:
            noise = self._statistics.mean + self._statistics.std * noise
        if self._inverse is not None:
            noise = noise @ self._inverse
        mask = random_masks(len(indices), self._inputs.length)
        return Batch((noise, mask), None, None, indices).to(self._device)


class DistortedTokens(UnlabeledBatches):
    """Batches of token ids from a source as mixtures with noise, without their labels.

    Args:
        source: batches of token ids and masks.
        std: standard deviation of the noise on every channel of the teacher's embeddings (C,).
        inverse: maps noise (…, C) to mixtures (…, V).
    """

    def __init__(self, source: TrainingBatches, std: Tensor, inverse: Tensor) -> None:
        super().__init__(source)
        self._std, self._inverse = std, inverse

    def changed(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the mixtures (B, L, V) of token ids with noise, and the mask."""
        ids, mask = inputs
        noise = torch.randn(*ids.shape, len(self._std)) * self._std @ self._inverse
        tokens = functional.one_hot(ids, noise.shape[-1]).to(noise.dtype)
        return tokens + noise.to(ids.device), mask
