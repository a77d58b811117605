"""Contrastive representation distillation (CRD): match student and teacher features per image.

Source: Tian, Krishnan and Isola, "Contrastive Representation Distillation", ICLR 2020,
section 3.1: a critic separates (student, teacher) feature pairs of the same image from pairs of
different images, whose features are stored in a memory of the whole training split.
"""

import math

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional as F

from diswot.errors import OptionError
from diswot.losses._registry import register
from diswot.losses._term import Card, Count, LossContext, Positive, Term, TrainingBatch
from diswot.networks import Activations
from diswot.networks.precision import at_least_single


def crd_loss(
    cosines: Tensor, *, images: int, temperature: float = 0.07, log_normalizer: float | Tensor = 0.0
) -> Tensor:
    """Return −ln h(positive) − Σ ln(1 − h(negative)), averaged over the batch.

    h = e/(e + K/M) with e = exp(cosine/τ)/Z is the critic's probability that a pair belongs to
    the same image. The infimum 0 is not attained, because cosines are at most 1.

    Deviation: the paper has no Z; in the authors' code, Z makes the mean of e over the memory
    1/M.

    Args:
        cosines: cosines (B, 1 + K) between one network's features of each image and the other
            network's of the same image (first) and of K other images. Gradients flow into them.
        images: M, the number of images in the training split.
        temperature: τ.
        log_normalizer: ln Z.

    Returns:
        A scalar > 0.

    Examples:
        >>> round(float(crd_loss(torch.zeros(1, 2), images=1)), 4)  # h = ½, a guess
        1.3863
    """
    noise = math.log((cosines.shape[1] - 1) / images)
    evidence = at_least_single(cosines) / temperature - log_normalizer - noise
    return (F.softplus(-evidence[:, 0]) + F.softplus(evidence[:, 1:]).sum(dim=1)).mean()


def others_of_another_class(labels: Tensor, known: Tensor, count: int) -> Tensor:
    """Draw negatives: images of other classes, with replacement, by torch's global generator.

    Args:
        labels: classes (B,) of the images of the batch.
        known: class (M,) of every training image; −1 if it was not seen yet.
        count: number of negatives per image.

    Returns:
        Indices of training images (B, count). If all images have the same class, they are
        drawn from all images.
    """
    # Sorted by class, the images of one class are a range; draw from all others, and shift the
    # numbers beyond the start of that range by its length.
    by_class, place = known.sort(stable=True)
    start = torch.searchsorted(by_class, labels)
    own = torch.searchsorted(by_class, labels, right=True) - start
    own = torch.where(own < len(known), own, 0)
    drawn = torch.rand(len(labels), count, device=known.device, dtype=torch.float64)
    other = (drawn * (len(known) - own)[:, None]).long()
    return place[torch.where(other < start[:, None], other, other + own[:, None])]


class Memory(nn.Module):
    """One network's embeddings of all training images, from when each image was last seen.

    Images that were not seen yet have random directions, as in the paper.

    Args:
        images: M, the number of training images.
        width: D, the length of an embedding.
        temperature: τ of the critic.
        momentum: weight of the old embedding when an image is seen again.
    """

    rows: Tensor
    log_normalizer: Tensor

    def __init__(self, images: int, width: int, *, temperature: float, momentum: float) -> None:
        super().__init__()
        self.register_buffer("rows", F.normalize(torch.randn(images, width), dim=1))
        self.register_buffer("log_normalizer", torch.tensor(torch.nan))
        self._temperature = temperature
        self._momentum = momentum

    def contrast(self, embeddings: Tensor, places: Tensor) -> Tensor:
        """Return [`crd_loss`][diswot.losses.crd_loss] of the other network's embeddings.

        Z is estimated from the first batch and kept.

        Args:
            embeddings: embeddings (B, D) of the other network, of length one.
            places: indices (B, 1 + K): the same image first, then its negatives.
        """
        # Cosines with the stored embedding of the same image first, then of the negatives.
        cosines = (embeddings @ self.rows.T).gather(1, places)
        images = len(self.rows)
        if self.log_normalizer.isnan():
            mean = (cosines.detach() / self._temperature).exp().mean()
            self.log_normalizer = (of_all_processes(mean[None]).mean() * images).log()
        return crd_loss(
            cosines,
            images=images,
            temperature=self._temperature,
            log_normalizer=self.log_normalizer,
        )

    def store(self, embeddings: Tensor, places: Tensor) -> None:
        """Store the embeddings of a batch, gathered from all processes.

        Args:
            embeddings: embeddings (B, D) of length one.
            places: indices (B,) of their images in the training split.
        """
        seen = of_all_processes(places)
        new = of_all_processes(embeddings.detach())
        kept = self._momentum * self.rows[seen] + (1 - self._momentum) * new
        # Not in place: the backward pass still needs the rows that were contrasted.
        self.rows = self.rows.index_copy(0, seen, F.normalize(kept, dim=1))


def of_all_processes(values: Tensor) -> Tensor:
    """Gather tensors (B, …) of equal shape from all processes and concatenate them by rank."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return values
    results = [torch.empty_like(values) for _ in range(distributed.get_world_size())]
    distributed.all_gather(results, values.contiguous())
    return torch.cat(results)


@register(
    Card(
        "crd",
        "features of an image, contrasted with images of other classes (CRD)",
        "Tian et al., ICLR 2020, section 3.1",
        weight=0.8,
        weight_source="the authors' script on CIFAR-100, with ce",
        reads=("features", "labels"),
        least=None,
    )
)
class CRD(Term):
    """The sum of two critics: student embeddings against the teacher's memory, and vice versa.

    Options are those of the authors' code: `width` of the embeddings, `negatives` per image,
    the temperature `T`, and the `momentum` of the memory.
    """

    reads_features = True

    known: Tensor

    def __init__(
        self,
        context: LossContext,
        *,
        width: Count = 128,
        negatives: Count = 16_384,
        T: Positive = 0.07,  # noqa: N803
        momentum: float = 0.5,
    ) -> None:
        super().__init__(context)
        if not 0 <= momentum < 1:
            raise OptionError(f"crd takes a number from 0, below 1 as momentum, got {momentum}")
        self._embed_student = nn.Linear(context.student.features, width)
        self._embed_teacher = nn.Linear(context.teacher.features, width)
        self._of_student, self._of_teacher = (
            Memory(context.train_examples, width, temperature=T, momentum=momentum)
            for _ in range(2)
        )
        self._negatives = negatives
        self.register_buffer("known", torch.full((context.train_examples,), -1))

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar; in training mode, store its embeddings."""
        if self.training:
            self._learn_classes(batch)
        others = others_of_another_class(batch.labels, self.known, self._negatives)
        indices = torch.cat([batch.indices[:, None], others], dim=1)
        ours = self._embed_student(at_least_single(student.features))
        theirs = self._embed_teacher(at_least_single(teacher.features.detach()))
        ours, theirs = F.normalize(ours, dim=1), F.normalize(theirs, dim=1)
        loss = self._of_teacher.contrast(ours, indices) + self._of_student.contrast(theirs, indices)
        if self.training:
            self._of_student.store(ours, batch.indices)
            self._of_teacher.store(theirs, batch.indices)
        return loss

    def _learn_classes(self, batch: TrainingBatch) -> None:
        seen, labels = of_all_processes(batch.indices), of_all_processes(batch.labels)
        self.known = self.known.index_copy(0, seen, labels)
