"""What a scorer is, what it says of itself, and where scorers are found by name."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TypeAlias, TypeVar

import torch
from torch import Tensor

from diswot.activations import Activations
from diswot.errors import OptionError, UnknownNameError

Term: TypeAlias = Callable[[Activations, Activations], Tensor | float]
"""(student, teacher) → one number, higher is better."""

_T = TypeVar("_T", bound=Term)


@dataclass(frozen=True)
class Card:
    """What a caller must know of a scorer.

    Attributes:
        name: what it is called on the command line.
        summary: one line.
        source: paper and equation.
        needs_teacher: whether it reads the teacher.
        needs_labels: whether it reads the labels of the batch.
        cost: passes through the student per repeat.
        supports: networks that it can score.
    """

    name: str
    summary: str
    source: str
    needs_teacher: bool = True
    needs_labels: bool = False
    cost: str = "one forward pass"
    supports: str = "networks with a last feature map and a linear classifier"


@dataclass(frozen=True)
class Scorer:
    """One or more terms read from the same forward pass; a candidate's score combines them."""

    card: Card
    terms: Mapping[str, Term]

    def __call__(self, student: Activations, teacher: Activations) -> dict[str, float]:
        """Return the value of every term."""
        with torch.no_grad():
            return {name: float(term(student, teacher)) for name, term in self.terms.items()}


_registry: dict[str, Scorer] = {}


def register(card: Card) -> Callable[[_T], _T]:
    """Make a function of (student, teacher) a scorer that is found by its card's name.

    Examples:
        >>> @register(Card("logit_norm", "size of the student's logits", "an example"))
        ... def logit_norm(student, teacher):
        ...     return student.logits.norm()
        >>> find_scorer("logit_norm").card.summary
        "size of the student's logits"
    """

    def decorate(term: _T) -> _T:
        _registry[card.name] = Scorer(card, MappingProxyType({card.name: term}))
        return term

    return decorate


def register_terms(card: Card, **terms: Term) -> Scorer:
    """Make several terms, read from one forward pass, a scorer of its own."""
    _registry[card.name] = Scorer(card, MappingProxyType(terms))
    return _registry[card.name]


def scorers() -> Mapping[str, Scorer]:
    """Return all scorers by name, those of installed packages included.

    A package offers scorers by the entry point group `diswot.scorers`: each entry
    names a module that registers them when it is imported.
    """
    for entry in entry_points(group="diswot.scorers"):
        importlib.import_module(entry.value)
    return MappingProxyType(_registry)


def find_scorer(scorer: "str | Scorer | Term") -> Scorer:
    """Return the scorer that is meant: by name, by names joined with `+`, or itself.

    Raises:
        UnknownNameError: no scorer has that name.
        OptionError: `scorer` is nothing that scores.
    """
    if isinstance(scorer, Scorer):
        return scorer
    if isinstance(scorer, str):
        return _named(scorer)
    if callable(scorer):
        name = getattr(scorer, "__name__", type(scorer).__name__)
        return Scorer(Card(name, "given from Python", "the caller"), {name: scorer})
    raise OptionError(f"Expected a scorer's name or a function, but got {scorer!r}")


def _named(expression: str) -> Scorer:
    parts = []
    for name in expression.split("+"):
        if name.strip() not in scorers():
            raise UnknownNameError("scorer", name.strip(), scorers())
        parts.append(_registry[name.strip()])
    if len(parts) == 1:
        return parts[0]
    terms = {name: term for part in parts for name, term in part.terms.items()}
    sources = "; ".join(part.card.source for part in parts)
    labels = any(part.card.needs_labels for part in parts)
    return Scorer(Card(expression, "combined scores", sources, needs_labels=labels), terms)
