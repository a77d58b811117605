"""Losses as expressions: `ce + 0.9*kd(T=4) + 100*at`, read and never evaluated."""

import ast
import inspect
import math
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from diswot.errors import OptionError, UnknownNameError
from diswot.losses._registry import Option, TermSpec, find_term_spec
from diswot.losses._term import Count, Paths, Positive, Share

EXAMPLE = "expected terms joined with +, such as ce + 0.9*kd(T=4)"

WIDTH = 72
"""Characters of a long expression that are printed around the marked place."""

_REFERENCE = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")
_TEXT_OR_COLON = re.compile(r"""("[^"]*"|'[^']*')|:""")


@dataclass(frozen=True)
class WeightedTerm:
    """One term of an expression.

    Attributes:
        name: the term as it was written, without its weight.
        kind: what it is.
        weight: by which it is multiplied.
        options: as they were written.
        place: where it begins in the expression.
    """

    name: str
    kind: TermSpec
    weight: float
    options: dict[str, Any] = field(default_factory=dict)
    place: int = 0


def parse(expression: str) -> tuple[WeightedTerm, ...]:
    """Return the terms of an expression, in order.

    Terms are joined with `+`; each is a registered name, or `package.module:name`, with
    options by keyword in brackets, and may have a number before it and `*` between them.
    Without a number it has the weight of its card.

    Args:
        expression: in one line.

    Raises:
        OptionError: it does not parse, or an option does not fit; a caret shows where.
        UnknownNameError: there is no such term.

    Examples:
        >>> [(part.name, part.weight) for part in parse("ce + 0.5*kd(T=2)")]
        [('ce', 1.0), ('kd(T=2)', 0.5)]
    """
    reader = _Reader(expression)
    parts: list[WeightedTerm] = []
    for node in reader.summands():
        part = reader.part(node)
        if part.name in {before.name for before in parts}:
            raise reader.error(f"{part.name} stands twice: write it once", part.place)
        parts.append(part)
    return tuple(parts)


def pointed(expression: str, place: int) -> str:
    """Return two lines: the expression, cut where it is long, and a caret under the place."""
    start = max(0, min(place - WIDTH // 2, len(expression) - WIDTH))
    end = start + WIDTH
    before, after = "…" if start else "", "…" if end < len(expression) else ""
    caret = " " * (len(before) + place - start) + "^"
    return f"\n  {before}{expression[start:end]}{after}\n  {caret}"


class _Reader:
    """Reads one expression, and knows where in it everything stands."""

    def __init__(self, expression: str) -> None:
        self._text = expression

    def error(self, message: str, place: int) -> OptionError:
        return OptionError(f"loss: {message}{pointed(self._text, place)}")

    def summands(self) -> list[ast.expr]:
        """Return what is joined with `+`, from the left."""
        waiting, found = [self._tree()], list[ast.expr]()
        while waiting:
            match waiting.pop():
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    waiting += [left, right]
                case node:
                    found.append(node)
        return found[::-1]

    def _tree(self) -> ast.expr:
        # A reference's colon is no Python; a dot in its place keeps all places as they are.
        source = _TEXT_OR_COLON.sub(lambda found: found[1] or ".", self._text)
        try:
            with warnings.catch_warnings(action="ignore"):
                return ast.parse(source, mode="eval").body
        except SyntaxError as error:
            end = len(self._text)  # which Python calls offset 0; others count from 1
            place = min(error.offset - 1, end) if error.offset else end
            raise self.error(f"{EXAMPLE}, but it does not parse here", place) from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise self.error(f"{EXAMPLE}, but it does not parse", 0) from error

    def part(self, node: ast.expr) -> WeightedTerm:
        """Return the term that a summand is."""
        weight: float | None = None
        term = node
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            weight, term = self._weight(node.left), node.right
        name = term.func if isinstance(term, ast.Call) else term
        kind = self._kind(name)
        options = self._options(kind, term) if isinstance(term, ast.Call) else {}
        self._complete(kind, options, self._at(term))
        weight = kind.card.weight if weight is None else weight
        return WeightedTerm(self._written(term), kind, weight, options, self._at(term))

    def _at(self, node: ast.expr | ast.keyword) -> int:
        return len(self._text.encode()[: node.col_offset].decode())

    def _written(self, node: ast.expr) -> str:
        return self._text.encode()[node.col_offset : node.end_col_offset].decode()

    def _weight(self, node: ast.expr) -> float:
        value = _literal(node)
        if not _is_number(value) or value < 0:
            raise self.error("expected a weight of at least 0 before the *", self._at(node))
        return float(value)

    def _kind(self, node: ast.expr) -> TermSpec:
        written = self._written(node)
        if not isinstance(node, ast.Name) and not _REFERENCE.fullmatch(written):
            raise self.error(f"{EXAMPLE}, but got {written!r}", self._at(node))
        try:
            return find_term_spec(node.id if isinstance(node, ast.Name) else written)
        except (OptionError, UnknownNameError) as error:
            error.args = (f"{error}{pointed(self._text, self._at(node))}",)
            raise

    def _options(self, kind: TermSpec, call: ast.Call) -> dict[str, Any]:
        given: dict[str, Any] = {}
        arguments: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
        for argument in arguments:
            place = self._at(argument)
            if not isinstance(argument, ast.keyword) or argument.arg is None:
                raise self.error("options are given by keyword, as in kd(T=4)", place)
            name = argument.arg
            if name not in kind.options:
                there = ", ".join(kind.options) or "none"
                raise self.error(
                    f"{kind.card.name} has no option {name!r}: there are {there}", place
                )
            if name in given:
                raise self.error(f"the option {name} stands twice", place)
            given[name] = self._value(argument.value, kind, name)
        return given

    def _complete(self, kind: TermSpec, given: dict[str, Any], place: int) -> None:
        """Make sure that every option without a default is given."""
        for name, option in kind.options.items():
            if option.default is inspect.Parameter.empty and name not in given:
                raise self.error(f"{kind.card.name} needs {name}=…, which has no default", place)

    def _value(self, node: ast.expr, kind: TermSpec, name: str) -> Any:
        value = _literal(node)
        expected = _unfit(value, kind.options[name])
        if expected:
            raise self.error(f"{kind.card.name} takes {expected} as {name}", self._at(node))
        return value


class _Nothing:
    """What is written where a number, a text or a list of them should be."""


def _literal(node: ast.expr) -> Any:
    """Return the number, text or list of them that is written; never evaluates anything."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.Name(id=text):  # quotes would have to be quoted again in a shell
            return text
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            values = [_literal(item) for item in items]
            return _Nothing if _Nothing in values else values
    return _Nothing


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # of a whole number with hundreds of digits
        return False


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and _is_number(value)


def _is_paths(value: object) -> bool:
    listed = value if isinstance(value, list) else [value]
    return value is None or bool(listed and all(isinstance(path, str) and path for path in listed))


_FITTING: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    Positive: ("a number above 0", lambda value: _is_number(value) and value > 0),
    Share: ("a number from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1),
    Count: ("a whole number of at least 1", lambda value: _is_whole(value) and value > 0),
    float: ("a number", _is_number),
    int: ("a whole number", _is_whole),
    bool: ("True or False", lambda value: isinstance(value, bool)),
    str: ("a text", lambda value: isinstance(value, str)),
    Paths: ("a dotted path or a list of them", _is_paths),
}
"""What fits an option, by its type: in words, and as a test."""


def _unfit(value: object, option: Option) -> str | None:
    """Return what should stand in place of `value`, `None` where it fits."""
    words, fits = _FITTING.get(option.annotation, ("a number, a text or a list", lambda _: True))
    return None if value is not _Nothing and fits(value) else words
