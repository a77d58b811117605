"""Find the terms of losses by name, in installed packages, or in the user's modules."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

from torch import Tensor

from diswot.errors import OptionError
from diswot.losses._term import Card, LossContext, Term, TrainingBatch
from diswot.networks import Activations
from diswot.references import resolve
from diswot.registry import Registry

LossFunction: TypeAlias = Callable[..., Tensor]
"""(student, teacher, batch, options as keywords) → scalar loss."""

_T = TypeVar("_T", bound="type[Term] | LossFunction")


@dataclass(frozen=True)
class Option:
    """An option of a term.

    Attributes:
        annotation: its type; `inspect.Parameter.empty` if the author gives none.
        default: its value if the expression gives none; `inspect.Parameter.empty` if required.
    """

    annotation: Any
    default: Any


@dataclass(frozen=True)
class TermSpec:
    """Specification of a term, from which it is built for two networks.

    Attributes:
        card: name, source, weight and requirements.
        given: the registered class or function.
        options: its options by name.
    """

    card: Card
    given: "type[Term] | LossFunction"
    options: Mapping[str, Option]

    def written_options(self) -> list[str]:
        """Return the options as written in an expression, with defaults; `…` if there is none."""
        chosen = (None, inspect.Parameter.empty)
        return [
            f"{name}={'…' if option.default in chosen else _written(option.default)}"
            for name, option in self.options.items()
        ]

    def make(self, context: LossContext, **options: Any) -> Term:
        """Build the term for two networks.

        Args:
            context: layouts of student and teacher, and sizes of outputs and training split.
            **options: values of its options.
        """
        if isinstance(self.given, type):
            term: Term = self.given(context, **options)
            return term
        return _FunctionTerm(context, partial(self.given, **options))


def _written(value: Any) -> str:
    """Return a default as written in an expression, floats with three significant digits."""
    return repr(float(f"{value:.3g}")) if isinstance(value, float) else repr(value)


TERMS: Registry[TermSpec] = Registry("loss", "diswot.losses")
"""All terms by name."""


class _FunctionTerm(Term):
    """A function of (student, teacher, batch) as a term."""

    def __init__(self, context: LossContext, compute: LossFunction) -> None:
        super().__init__(context)
        self._compute = compute

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        return self._compute(student, teacher, batch)


def register(card: Card) -> Callable[[_T], _T]:
    """Register a [`Term`][diswot.losses.Term] class or a function as a term of losses.

    A function takes (student, teacher, batch): the outputs of both networks as
    [`Activations`][diswot.networks.Activations], and a `TrainingBatch`; it returns a scalar
    tensor. Its keyword-only arguments become options of the term.

    Args:
        card: name, source, weight and requirements of the term.

    Returns:
        A decorator that returns the class or function unchanged.

    Examples:
        >>> import torch
        >>> @register(Card("cosine", "angle of the logits", "an example", weight=2.0))
        ... def cosine(student, teacher, batch, *, power: float = 1.0):
        ...     alike = torch.cosine_similarity(student.output, teacher.output.detach())
        ...     return (1 - alike).pow(power).mean()
        >>> find_term_spec("cosine").card.weight, list(find_term_spec("cosine").options)
        (2.0, ['power'])
    """

    def decorate(term: _T) -> _T:
        TERMS.register(card.name, TermSpec(card, term, _options(term)))
        return term

    return decorate


def terms() -> Mapping[str, TermSpec]:
    """Return all terms by name, including those of installed packages.

    A package adds terms with the entry-point group `diswot.losses`: each entry point is a
    module that calls `register` when it is imported.
    """
    return TERMS


def find_term_spec(name: str) -> TermSpec:
    """Find a term by name or `package.module:name`.

    Raises:
        UnknownNameError: no term has this name.
        OptionError: the reference cannot be imported, or is neither a `Term` class nor a
            function of (student, teacher, batch).
    """
    if ":" in name:
        return _named(name)
    return TERMS.find(name)


def _named(reference: str) -> TermSpec:
    result = resolve(reference, kind="loss")
    known = next((kind for kind in terms().values() if kind.given is result), None)
    if known is not None:
        return known
    if not _is_term(result) and not _takes_two_networks_and_a_batch(result):
        raise OptionError(
            f"loss {reference!r}: expected a function of (student, teacher, batch) or a Term, "
            f"but got {type(result).__name__}"
        )
    summary = (inspect.getdoc(result) or "given by the user").splitlines()[0]
    card = Card(reference, summary, "the user", weight_source="none given", reads=())
    return TermSpec(card, result, _options(result))


def _is_term(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, Term)


def _takes_two_networks_and_a_batch(found: object) -> bool:
    if not callable(found) or isinstance(found, type):
        return False
    try:
        inspect.signature(found).bind_partial(None, None, None)
    except (TypeError, ValueError):  # functions written in C have no signature
        return False
    return True


def _options(function: Callable[..., Any]) -> dict[str, Option]:
    """Return the keyword-only arguments of `function`."""
    return {
        name: Option(parameter.annotation, parameter.default)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
