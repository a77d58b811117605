"""Decoupled knowledge distillation (DKD): separate weights for the target and other classes.

Source: Zhao, Cui, Song, Qiu and Liang, "Decoupled Knowledge Distillation", CVPR 2022,
section 3: KD equals TCKD + (1 − p_t)·NCKD, so that the knowledge about other classes is
suppressed for a teacher that is confident (p_t → 1); DKD weights both parts by constants.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.losses._registry import register
from diswot.losses._term import Card, LossContext, Positive, Share, Term, TrainingBatch
from diswot.networks import Activations
from diswot.networks.precision import at_least_single


def dkd_loss(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor,
    *,
    alpha: float = 1.0,
    beta: float = 8.0,
    temperature: float = 4.0,
) -> Tensor:
    """Return T²·(α·TCKD + β·NCKD), averaged over the batch.

    TCKD is the KL divergence of the binary distribution (target class, any other class); NCKD
    is that of the distribution over the other classes only.

    Args:
        student: logits (B, N), N > 1; gradients flow into them.
        teacher: logits (B, N); no gradient flows into them.
        labels: target classes (B,).
        alpha: α; 1 in the paper.
        beta: β; 8 by default in the authors' code, but 2 for ResNet-56 to 20 and 110 to 32,
            6 for WRN-40-2 to 16-2, and 0.5 with T = 1 on ImageNet.
        temperature: T.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> logits, labels = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([2])
        >>> abs(float(dkd_loss(logits, logits, labels))) < 1e-6
        True
    """
    ours = _decoupled(at_least_single(student) / temperature, labels)
    theirs = _decoupled(at_least_single(teacher.detach()) / temperature, labels)
    true, others = (_divergence(s, t) for s, t in zip(ours, theirs, strict=True))
    return (alpha * true + beta * others) * temperature**2


def _decoupled(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return log-probabilities of (target, any other) (B, 2), and among the others (B, N − 1)."""
    log_p = F.log_softmax(logits, dim=1)
    true = F.one_hot(labels, log_p.shape[1]).bool()
    others = log_p[~true].reshape(len(log_p), -1)
    binary = torch.stack([log_p[true], others.logsumexp(dim=1)], dim=1)
    return binary, F.log_softmax(others, dim=1)


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    return F.kl_div(student, teacher, reduction="batchmean", log_target=True)


@register(
    Card(
        "dkd",
        "softened class probabilities, with separate terms for the true class and the others (DKD)",
        "Zhao et al., CVPR 2022, section 3",
        weight=1.0,
        weight_source="the authors' code on CIFAR-100 (α = 1, β = 8, T = 4), with ce and a linear "
        "warm-up of the weight over 20 of 240 epochs",
        reads=("logits", "labels"),
    )
)
class DecoupledKD(Term):
    """[`dkd_loss`][diswot.losses.dkd_loss] of two networks' logits.

    The weight has a linear warm-up over the first fraction `warmup` of the training, as in the
    authors' code.
    """

    def __init__(
        self,
        context: LossContext,
        *,
        alpha: Positive = 1.0,
        beta: Positive = 8.0,
        T: Positive = 4.0,  # noqa: N803
        warmup: Share = 20 / 240,
    ) -> None:
        super().__init__(context)
        self._warmup = warmup
        self._options = {"alpha": alpha, "beta": beta, "temperature": T}

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar, with warm-up."""
        loss = dkd_loss(student.output, teacher.output, batch.labels, **self._options)
        return batch.warmed_up(self._warmup) * loss
