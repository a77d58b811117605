"""What a student is trained towards: losses with their weights, by name."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from diswot.activations import Activations
from diswot.distillation.losses import kd_loss, relation_loss, semantic_loss
from diswot.errors import UnknownNameError


@dataclass(frozen=True)
class Objective:
    """A training loss.

    Attributes:
        name: what it is called on the command line.
        summary: one line.
        compute: (student, teacher, labels) → loss; the teacher is `None` where not needed.
        needs_teacher: whether it reads the teacher.
    """

    name: str
    summary: str
    compute: Callable[[Activations, Activations, Tensor], Tensor]
    needs_teacher: bool = True


def _alone(student: Activations, _: Activations, labels: Tensor) -> Tensor:
    return F.cross_entropy(student.logits, labels)


def _diswot(student: Activations, teacher: Activations, labels: Tensor) -> Tensor:
    cross_entropy = F.cross_entropy(student.logits, labels)
    return 0.1 * cross_entropy + 0.9 * kd_loss(student.logits, teacher.logits)


def _diswot_dagger(student: Activations, teacher: Activations, labels: Tensor) -> Tensor:
    similarity = semantic_loss(student, teacher) + relation_loss(student, teacher)
    return _diswot(student, teacher, labels) + similarity


OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("alone", "cross-entropy with the labels", _alone, needs_teacher=False),
        Objective("diswot", "0.1·CE + 0.9·KL at temperature 4 (CE+KL)", _diswot),
        Objective("diswot-dagger", "diswot plus both similarity losses (DisWOT†)", _diswot_dagger),
    )
}


def find_objective(name: str) -> Objective:
    """Return the objective of that name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in OBJECTIVES:
        raise UnknownNameError("loss", name, OBJECTIVES)
    return OBJECTIVES[name]
