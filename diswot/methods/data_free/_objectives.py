"""What generators of pseudo-samples are trained for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor
from torch.nn import functional

from diswot.networks import Activations

ONE_HOT, BALANCE, ACTIVATION = 0.05, 5.0, 0.01
"""DAFL's weights of its three terms, those of its CIFAR experiments."""

Terms: TypeAlias = Callable[[Activations, Tensor], Mapping[str, Tensor]]
"""(teacher, logits of the student (B, N)) → terms of the generator's loss, to be added."""


@dataclass(frozen=True)
class GeneratorObjective:
    """How a generator and a student are trained together.

    Attributes:
        terms: terms of the generator's loss.
        loss: the student's loss on generated images, an expression.
        every: the generator is updated every so many steps of the student.
    """

    terms: Terms
    loss: str
    every: int


def dafl(teacher: Activations, _student: Tensor) -> dict[str, Tensor]:
    """Return DAFL's terms: images that the teacher classifies confidently, in all classes.

    With teacher probabilities p (B, N) and the input f of the teacher's classifier:
    0.05·CE(p, argmax p) + 5·Σ_c p̄_c log10 p̄_c − 0.01·mean |f|, where p̄ is the batch's mean.

    Source: Chen et al., "Data-Free Learning of Student Networks", ICCV 2019, eq. 4 to 7; weights
    and logarithm of the released implementation.

    Args:
        teacher: the teacher's activations for generated images.
    """
    logits = teacher.output
    mean = logits.softmax(1).mean(0)
    return {
        "one-hot": ONE_HOT * functional.cross_entropy(logits, logits.argmax(1)),
        "balance": BALANCE * (mean * mean.clamp_min(1e-12).log10()).sum(),
        "activation": -ACTIVATION * teacher.features.abs().mean(),
    }


def zskt(teacher: Activations, student: Tensor) -> dict[str, Tensor]:
    """Return ZSKT's term: images on which the student differs most from the teacher.

    −KL(teacher ‖ student) of class probabilities, averaged over the batch.

    Source: Micaelli and Storkey, "Zero-shot Knowledge Transfer via Adversarial Belief Matching",
    NeurIPS 2019, section 3.2.

    Args:
        teacher: the teacher's activations for generated images.
        student: the student's logits for the same images (B, N).
    """
    target = teacher.output.log_softmax(1)
    found = functional.kl_div(
        student.log_softmax(1), target, reduction="batchmean", log_target=True
    )
    return {"disagreement": -found}


OBJECTIVES: Mapping[str, GeneratorObjective] = {
    "dafl": GeneratorObjective(dafl, "kd(T=6)", 1),
    "zskt": GeneratorObjective(zskt, "kd(T=1) + 250*at", 10),
}
"""Objectives by name, with the temperatures and weights of their papers' implementations."""
