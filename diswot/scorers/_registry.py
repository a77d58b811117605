"""Find scorers by name, by expression, or in installed packages."""

import ast
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from diswot.errors import OptionError
from diswot.networks import Watch
from diswot.networks.costs import Costs
from diswot.options import COMBINATIONS, Combination
from diswot.references import is_reference, resolve
from diswot.registry import Registry
from diswot.scorers._card import Card, CostTerm, Scorer, Term
from diswot.scorers._formula import Formula

_T = TypeVar("_T", bound=Term)
SCORERS: Registry[Scorer] = Registry("scorer", "diswot.scorers")
"""All scorers by name."""


def register(
    card: Card, *, watches: Iterable[Watch[Any]] = (), teacher_watches: Iterable[Watch[Any]] = ()
) -> Callable[[_T], _T]:
    """Register a function of (student, teacher) as a scorer under the name of its card.

    Args:
        card: name, source and requirements of the scorer.
        watches: activations of the student to record in its forward pass.
        teacher_watches: activations of the teacher to record in its forward pass.

    Returns:
        A decorator that returns the function unchanged.

    Examples:
        >>> @register(Card("logit_norm", "size of the student's logits", "an example"))
        ... def logit_norm(student, teacher):
        ...     return student.output.norm()
        >>> find_scorer("logit_norm").card.summary
        "size of the student's logits"
    """

    def decorate(term: _T) -> _T:
        scorer = Scorer(
            card,
            MappingProxyType({card.name: term}),
            Formula("sum", (card.name,)),
            tuple(watches),
            tuple(teacher_watches),
            {} if card.version == 1 else {card.name: card.version},
        )
        SCORERS.register(card.name, scorer)
        return term

    return decorate


def register_cost(card: Card) -> Callable[[Callable[[Costs], float]], CostTerm]:
    """Register a function of an architecture's costs as a scorer.

    Args:
        card: name, source and requirements of the scorer.

    Returns:
        A decorator that turns the function into a `CostTerm`, which needs no forward pass.
    """

    def decorate(read: Callable[[Costs], float]) -> CostTerm:
        return register(card)(CostTerm(read))

    return decorate


def register_combined(card: Card, how: Combination, *terms: Term) -> Scorer:
    """Register a combination of registered terms as a scorer.

    Args:
        card: name, summary and source; requirements are those of the terms together.
        how: how terms are combined, see `combine`.
        *terms: functions that were registered before.
    """
    parts = [part for part in SCORERS.registered() if set(part.terms.values()) <= set(terms)]
    names = {term: name for part in parts for name, term in part.terms.items()}
    formula = Formula(how, tuple(names[term] for term in terms))
    joined = _joined(card, formula, [SCORERS[names[term]] for term in terms])
    SCORERS.register(card.name, joined)
    return joined


def scorers() -> Mapping[str, Scorer]:
    """Return all scorers by name, including those of installed packages.

    A package adds scorers with the entry-point group `diswot.scorers`: each entry point is a
    module that calls `register` when it is imported.
    """
    return SCORERS


def find_scorer(scorer: "str | Scorer | Term") -> Scorer:
    """Find a scorer by name or expression; scorers and functions are accepted as well.

    Args:
        scorer: a name; an expression, which joins names with `+` or combines expressions with
            `logrank(a,b,…)`, `rank(a,b,…)`, `standard(a,b,…)` or `sum(a,b,…)`;
            `package.module:name` of a function of (student, teacher); such a function; or a
            `Scorer`, which is returned unchanged.

    Raises:
        UnknownNameError: no scorer has this name.
        OptionError: `scorer` is none of these, or the expression is invalid.

    Examples:
        >>> list(find_scorer("logrank(nwot,params)").terms)
        ['nwot', 'params']
    """
    if isinstance(scorer, Scorer):
        return scorer
    if isinstance(scorer, str):
        if is_reference(scorer):
            return _named(scorer)
        return SCORERS[scorer] if scorer in SCORERS else _parsed(scorer)
    if callable(scorer):
        return _given(getattr(scorer, "__name__", type(scorer).__name__), scorer)
    raise OptionError(f"Expected a scorer's name or a function, but got {scorer!r}")


def _named(reference: str) -> Scorer:
    """Import a scorer from `package.module:name`; a class is instantiated without arguments."""
    result = resolve(reference, kind="scorer")
    if isinstance(result, Scorer):
        return result
    if isinstance(result, type):
        result = result()
    if not callable(result):
        raise OptionError(
            f"scorer {reference!r}: expected a function of (student, teacher), but got "
            f"{type(result).__name__}"
        )
    return _given(reference, result)


def _given(name: str, term: Term) -> Scorer:
    card = Card(name, "given from Python", "the caller")
    return Scorer(card, {name: term}, Formula("sum", (name,)))


def all_terms(expressions: Iterable[str]) -> Scorer:
    """Return one scorer with all terms of several expressions, computed in the same passes.

    Args:
        expressions: names or expressions, as for `find_scorer`.
    """
    results = [find_scorer(expression) for expression in expressions]
    terms = tuple(dict.fromkeys(name for scorer in results for name in scorer.terms))
    return _joined(Card("all", "several scores", "each its own"), Formula("sum", terms), results)


def _parsed(expression: str) -> Scorer:
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise OptionError(_expected(expression)) from error
    formula, used = _formula(tree, expression)
    known = [SCORERS[name] for name in dict.fromkeys(used)]
    return _joined(Card(expression, "combined scores", ""), formula, known)


def _formula(tree: ast.expr, expression: str) -> tuple[Formula, list[str]]:
    match tree:
        case ast.Name(id=name):
            return SCORERS.find(name).formula, [name]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            how: Combination = "sum"
            parts = [left, right]
        case ast.Call(func=ast.Name(id=called), args=[*parts], keywords=[]) if parts:
            if called not in COMBINATIONS:
                raise OptionError(_expected(expression))
            how = called
        case _:
            raise OptionError(_expected(expression))
    inner = [_formula(part, expression) for part in parts]
    flat = [part for formula, _ in inner for part in _parts(formula, how)]
    return Formula(how, tuple(flat)), [name for _, names in inner for name in names]


def _parts(formula: Formula, how: Combination) -> tuple[str | Formula, ...]:
    """Return the parts of a formula within a combination; nested sums become one sum."""
    one = len(formula.parts) == 1 or formula.how == how == "sum"
    return formula.parts if one else (formula,)


def _joined(card: Card, formula: Formula, parts: Iterable[Scorer]) -> Scorer:
    parts = list(parts)
    # The combined scorer requires whatever any of its parts requires.
    cards = [part.card for part in parts]
    comparing = [part for part in cards if part.needs_teacher]
    made_for_trained = [part.teacher_state == "trained" for part in comparing]
    merged = Card(
        name=card.name,
        summary=card.summary,
        source=card.source or "; ".join(dict.fromkeys(part.source for part in cards)),
        needs_teacher=bool(comparing),
        teacher_state="trained" if comparing and all(made_for_trained) else "random",
        needs_labels=any(part.needs_labels for part in cards),
        needs_gradients=any(part.needs_gradients for part in cards),
        cost="; ".join(dict.fromkeys(part.cost for part in cards if part.cost != "nothing"))
        or "nothing",
        supports="; ".join(dict.fromkeys(part.supports for part in cards)),
        reads=tuple(dict.fromkeys(name for part in cards for name in part.reads)),
        examples=max(part.examples for part in cards),
        repeats=max(part.repeats for part in cards),
    )
    return Scorer(
        merged,
        {name: term for part in parts for name, term in part.terms.items()},
        formula,
        tuple(dict.fromkeys(watch for part in parts for watch in part.watches)),
        tuple(dict.fromkeys(watch for part in parts for watch in part.teacher_watches)),
        {name: version for part in parts for name, version in part.versions.items()},
    )


def _expected(expression: str) -> str:
    expression = expression if len(expression) <= 80 else f"{expression[:77]}…"
    return (
        "expected a scorer's name, names joined with +, or logrank(a,b,…), "
        f"but got {expression!r}: diswot list scorers names them"
    )
