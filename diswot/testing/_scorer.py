"""The contract of scorers."""

import math

import torch
from torch import Tensor, nn

from diswot.networks import ActivationReader, Activations, scoring_mode
from diswot.networks.costs import Costs
from diswot.networks.probe import Probe
from diswot.scorers import Scorer, Term, find_scorer
from diswot.seeding import torch_seed
from diswot.testing._networks import (
    example_images,
    example_labels,
    example_texts,
    global_randomness_unused,
    require,
    small_encoder,
    small_student,
    small_teacher,
    unchanged,
)


def check_scorer(scorer: "str | Scorer | Term") -> None:
    """Check the contract of a scorer, with a small residual network and a wider teacher.

    Scorers that read tokens are checked with text encoders. Terms are finite and reproducible;
    the scorer changes neither network nor batch, and does not use torch's global generator; and
    it only uses labels and gradients if its card says so.

    Args:
        scorer: a name, an expression, or a function (student, teacher) → number.

    Raises:
        AssertionError: a rule is broken; the message names it.

    Examples:
        >>> check_scorer("nwot")
    """
    found_scorer = find_scorer(scorer)
    name = found_scorer.card.name
    once = _terms(found_scorer, labels=example_labels())
    for term, value in once.items():
        require(math.isfinite(value), f"{name}: the term {term} is finite, but is {value}")
    require(
        _terms(found_scorer, labels=example_labels()) == once,
        f"{name}: the same input, the same score",
    )
    # Without labels: a scorer that reads them raises or returns another score.
    if not found_scorer.card.needs_labels:
        require(
            _terms(found_scorer, labels=None) == once,
            f"{name}: reads labels, but its card says needs_labels=False",
        )


def _terms(scorer: Scorer, *, labels: Tensor | None) -> dict[str, float]:
    name, (network, wider, inputs) = scorer.card.name, _subjects(scorer)
    before = [item.clone() for item in inputs]
    teacher = _teacher(scorer, wider, inputs, labels)
    # As in a search: the student is scored in inference mode unless gradients are needed.
    inference = torch.inference_mode(not scorer.card.needs_gradients)
    with inference, scoring_mode(network), unchanged(network, f"{name}: leaves the student"):
        student = Probe(
            network,
            *inputs,
            labels=labels,
            costs=Costs(sum(item.numel() for item in network.parameters()), 10**6),
            seed=0,
            watches=scorer.watches,
            differentiable=scorer.card.needs_gradients,
        )
        with torch_seed(0), global_randomness_unused(f"{name}: draws from student.generator"):
            result = scorer(student, teacher)
    # Scorers share the batch, so none may change it in place.
    same = all(torch.equal(*pair) for pair in zip(inputs, before, strict=True))
    require(same, f"{name}: the batch was changed")
    return dict(result)


def _subjects(scorer: Scorer) -> tuple[nn.Module, nn.Module, tuple[Tensor, ...]]:
    """Return a student, a wider teacher and a batch, of texts if the scorer reads tokens."""
    if "tokens" in scorer.card.reads:
        return small_encoder(1, hidden=8), small_encoder(2, hidden=12), example_texts()
    return small_student(), small_teacher(), (example_images(),)


def _teacher(
    scorer: Scorer, network: nn.Module, inputs: tuple[Tensor, ...], labels: Tensor | None
) -> Activations:
    with (
        torch.inference_mode(),
        scoring_mode(network),
        ActivationReader(network, watches=scorer.teacher_watches) as read,
    ):
        return read(*inputs, labels=labels)
