"""What every scorer keeps to."""

import math

import torch
from torch import Tensor

from diswot.networks import ActivationReader, Activations, scoring_mode
from diswot.networks.costs import Costs
from diswot.networks.probe import Probe
from diswot.scorers import Scorer, Term, find_scorer
from diswot.seeding import torch_seed
from diswot.testing._networks import (
    example_images,
    example_labels,
    global_randomness_unused,
    require,
    small_student,
    small_teacher,
    unchanged,
)


def check_scorer(scorer: "str | Scorer | Term") -> None:
    """Check that a scorer keeps its contract, on a small residual network and a wider teacher.

    Its terms are finite numbers, the same each time; it changes neither network, batch nor
    torch's global generator; and it reads labels and gradients only where its card says so.

    Args:
        scorer: a name, an expression, or a function (student, teacher) → number.

    Raises:
        AssertionError: a rule is broken; the message names it.

    Examples:
        >>> check_scorer("nwot")
    """
    found = find_scorer(scorer)
    name = found.card.name
    once = _terms(found, labels=example_labels())
    for term, value in once.items():
        require(math.isfinite(value), f"{name}: the term {term} is finite, but is {value}")
    require(
        _terms(found, labels=example_labels()) == once, f"{name}: the same input, the same score"
    )
    if not found.card.needs_labels:
        require(
            _terms(found, labels=None) == once,
            f"{name}: reads labels, but its card says needs_labels=False",
        )


def _terms(scorer: Scorer, *, labels: Tensor | None) -> dict[str, float]:
    name, images = scorer.card.name, example_images()
    network, before = small_student(), images.clone()
    teacher = _teacher(scorer, images, labels)
    inference = torch.inference_mode(not scorer.card.needs_gradients)
    with inference, scoring_mode(network), unchanged(network, f"{name}: leaves the student"):
        student = Probe(
            network,
            images,
            labels=labels,
            costs=Costs(sum(each.numel() for each in network.parameters()), 10**6),
            seed=0,
            watches=scorer.watches,
            differentiable=scorer.card.needs_gradients,
        )
        with torch_seed(0), global_randomness_unused(f"{name}: draws from student.generator"):
            found = scorer(student, teacher)
    require(torch.equal(images, before), f"{name}: the batch was changed")
    return dict(found)


def _teacher(scorer: Scorer, images: Tensor, labels: Tensor | None) -> Activations:
    network = small_teacher()
    with (
        torch.inference_mode(),
        scoring_mode(network),
        ActivationReader(network, watches=scorer.teacher_watches) as read,
    ):
        return read(images, labels=labels)
