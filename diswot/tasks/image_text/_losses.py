"""Losses between image and text embeddings: those of VLM-OOD, and the contrastive loss of CLIP.

Source of the losses of students: Li, Fang, Liu, Ling, Tu and Su, "Distilling Large
Vision-Language Model with Out-of-Distribution Generalizability", ICCV 2023, and its released
code. With the student's embedding f_S, the teacher's f_T, and the text embedding t of each
class: s = f_S/‖f_S‖, v = f_T/‖f_T‖, and τ = 0.07.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.networks.precision import at_least_single

TEMPERATURE = 0.07
"""τ of the released code."""


def cosines(one: Tensor, other: Tensor) -> Tensor:
    """Return the cosines (n, m) of all pairs of embeddings (n, D) and (m, D)."""
    first, second = (F.normalize(at_least_single(item), dim=1) for item in (one, other))
    return first @ second.T


def text_ce_loss(
    student: Tensor, texts: Tensor, labels: Tensor, *, temperature: float = TEMPERATURE
) -> Tensor:
    """Return L_cls, the cross-entropy of the cosines s·t/τ, averaged over the batch.

    Args:
        student: image embeddings (B, D); gradients flow into them.
        texts: text embedding of every class (N, D).
        labels: class of every image (B,).
        temperature: τ.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> images, texts = torch.eye(2), torch.eye(2)
        >>> round(float(text_ce_loss(images, texts, torch.tensor([0, 1]), temperature=1.0)), 4)
        0.3133
    """
    return F.cross_entropy(cosines(student, texts.detach()) / temperature, labels)


def embedding_mse_loss(student: Tensor, teacher: Tensor, *, log: bool = False) -> Tensor:
    """Return L_mse, the squared distance of student and teacher embeddings.

    Args:
        student: image embeddings (B, D); gradients flow into them.
        teacher: image embeddings (B, D) of the teacher.
        log: whether to return the variant of the released code that is not normalized,
            log(1 + mean ‖f_S − f_T‖²/10), instead of mean ‖s − v‖².

    Returns:
        A scalar ≥ 0; it is 0 if the embeddings (without `log`: their directions) are equal.

    Examples:
        >>> one = torch.tensor([[3.0, 4.0]])
        >>> float(embedding_mse_loss(one, 2 * one)), float(embedding_mse_loss(one, one, log=True))
        (0.0, 0.0)
    """
    ours, theirs = at_least_single(student), at_least_single(teacher.detach())
    if log:
        return torch.log1p((ours - theirs).square().sum(dim=1).mean() / 10)
    distances = F.normalize(ours, dim=1) - F.normalize(theirs, dim=1)
    return distances.square().sum(dim=1).mean()


def embedding_contrast_loss(
    student: Tensor, teacher: Tensor, *, temperature: float = TEMPERATURE
) -> Tensor:
    """Return L_im-cst, the contrast between the images of a batch in both directions.

    ½·[CE(S·Vᵀ/τ, I) + CE(V·Sᵀ/τ, I)]: each student embedding must be closest to the teacher's of
    the same image, and the reverse.

    Args:
        student: image embeddings (B, D); gradients flow into them.
        teacher: image embeddings (B, D) of the teacher.
        temperature: τ.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> float(embedding_contrast_loss(torch.ones(1, 4), torch.ones(1, 4)))
        0.0
    """
    return _both_ways(cosines(student, teacher.detach()) / temperature)


def text_kl_loss(
    student: Tensor,
    teacher: Tensor,
    texts: Tensor,
    labels: Tensor | None = None,
    *,
    nearest: int = 256,
    temperature: float = TEMPERATURE,
) -> Tensor:
    """Return L_vlalign, the divergence of the cosines to the classes nearest to the teacher.

    mean KL(softmax(g_T[K]) ‖ softmax(g_S[K])) with g = cosines to the texts / τ, where K are the
    `nearest` classes with the largest g_T of each image.

    Args:
        student: image embeddings (B, D); gradients flow into them.
        teacher: image embeddings (B, D) of the teacher.
        texts: text embedding of every class (N, D).
        labels: class of every image (B,); if given, images that the teacher classifies
            incorrectly are left out (the misalignment filter). If none is left, the loss is 0.
        nearest: maximum number of classes in K.
        temperature: τ.

    Returns:
        A scalar ≥ 0; it is 0 if the embeddings have equal directions.

    Examples:
        >>> images, texts = torch.eye(3), torch.eye(3)
        >>> float(text_kl_loss(images, images, texts, nearest=2))
        0.0
        >>> float(text_kl_loss(images, images.flip(0), texts, torch.tensor([0, 0, 0])) >= 0)
        1.0
    """
    theirs = cosines(teacher.detach(), texts.detach()) / temperature
    ours = cosines(student, texts.detach()) / temperature
    kept = torch.ones(len(ours), dtype=torch.bool, device=ours.device)
    if labels is not None:
        kept = theirs.argmax(dim=1) == labels
    top = theirs.topk(min(nearest, theirs.shape[1]), dim=1).indices
    divergence = F.kl_div(
        ours.gather(1, top).log_softmax(dim=1),
        theirs.gather(1, top).log_softmax(dim=1),
        reduction="none",
        log_target=True,
    ).sum(dim=1)
    return (divergence * kept).sum() / kept.sum().clamp_min(1)


def image_text_loss(
    images: Tensor, texts: Tensor, labels: Tensor, *, temperature: float = TEMPERATURE
) -> Tensor:
    """Return the contrastive loss of CLIP between the images and captions of a batch.

    ½·[CE(image → text) + CE(text → image)] of cosines/τ. Pairs of two examples with the same
    class are left out of the negatives, as in the caption loss of VLM-OOD's code, because their
    captions fit both images. The temperature is fixed, as in VLM-OOD.

    Source: Radford et al., "Learning Transferable Visual Models From Natural Language
    Supervision", ICML 2021, figure 3.

    Args:
        images: image embeddings (B, D).
        texts: embeddings (B, D) of the captions.
        labels: class of every pair (B,).
        temperature: τ.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> float(image_text_loss(torch.eye(2), torch.eye(2), torch.tensor([0, 0])))
        0.0
    """
    scores = cosines(images, texts) / temperature
    same = labels[:, None] == labels[None]
    same.fill_diagonal_(False)
    return _both_ways(scores.masked_fill(same, -torch.inf))


def _both_ways(scores: Tensor) -> Tensor:
    """Return the mean of the cross-entropies of scores (B, B) by row and by column."""
    pairs = torch.arange(len(scores), device=scores.device)
    return (F.cross_entropy(scores, pairs) + F.cross_entropy(scores.T, pairs)) / 2
