"""Parse losses written as expressions, such as `ce + 0.9*kd(T=4) + 100*at`, without `eval`."""

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
"""Number of characters of a long expression that an error prints around the marked place."""

_REFERENCE = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")
_TEXT_OR_COLON = re.compile(r"""("[^"]*"|'[^']*')|:""")


@dataclass(frozen=True)
class WeightedTerm:
    """One term of an expression.

    Attributes:
        name: the term as written, without its weight.
        kind: the specification of the term.
        weight: factor of the term.
        options: options by name, as written.
        place: index of its first character in the expression.
    """

    name: str
    kind: TermSpec
    weight: float
    options: dict[str, Any] = field(default_factory=dict)
    place: int = 0


def parse(expression: str) -> tuple[WeightedTerm, ...]:
    """Return the terms of an expression, in order.

    Terms are joined with `+`. Each is a registered name or `package.module:name`, optionally
    with options as keywords in parentheses, and with a weight and `*` in front; the default
    weight is that of the term's card.

    Args:
        expression: the expression, in one line.

    Raises:
        OptionError: the expression is invalid, or an option does not fit; a caret marks where.
        UnknownNameError: no term has this name.

    Examples:
        >>> [(part.name, part.weight) for part in parse("ce + 0.5*kd(T=2)")]
        [('ce', 1.0), ('kd(T=2)', 0.5)]
    """
    reader = _Reader(expression)
    parts: list[WeightedTerm] = []
    for node in reader.summands():
        part = reader.part(node)
        if part.name in {before.name for before in parts}:
            raise reader.error(f"{part.name} appears twice: write it once", part.place)
        parts.append(part)
    return tuple(parts)


def pointed(expression: str, position: int) -> str:
    """Return two lines for an error: the expression (cut if it is long), and a caret below.

    Args:
        expression: the expression.
        position: index of the character to mark.
    """
    start = max(0, min(position - WIDTH // 2, len(expression) - WIDTH))
    end = start + WIDTH
    before, after = "…" if start else "", "…" if end < len(expression) else ""
    caret = " " * (len(before) + position - start) + "^"
    return f"\n  {before}{expression[start:end]}{after}\n  {caret}"


class _Reader:
    """Parses one expression and reports errors with their place in it."""

    def __init__(self, expression: str) -> None:
        self._text = expression

    def error(self, message: str, place: int) -> OptionError:
        return OptionError(f"loss: {message}{pointed(self._text, place)}")

    def summands(self) -> list[ast.expr]:
        """Return the summands of the expression, from left to right."""
        # A loop instead of recursion: a user's expression can be arbitrarily long.
        waiting, result = [self._tree()], list[ast.expr]()
        while waiting:
            match waiting.pop():
                case ast.BinOp(left=left, op=ast.Add(), right=right):
                    waiting += [left, right]
                case node:
                    result.append(node)
        return result[::-1]

    def _tree(self) -> ast.expr:
        # `package.module:name` is not valid Python: replace the colon by a dot, which keeps the
        # positions of all characters.
        source = _TEXT_OR_COLON.sub(lambda found: found[1] or ".", self._text)
        try:
            with warnings.catch_warnings(action="ignore"):
                return ast.parse(source, mode="eval").body
        except SyntaxError as error:
            end = len(self._text)  # Python reports it as offset 0; other offsets start at 1
            place = min(error.offset - 1, end) if error.offset else end
            raise self.error(f"{EXAMPLE}, but it does not parse here", place) from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise self.error(f"{EXAMPLE}, but it does not parse", 0) from error

    def part(self, node: ast.expr) -> WeightedTerm:
        """Parse one summand: an optional weight, a name, and optional options."""
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
                    f"{kind.card.name} has no option {name!r}: its options are {there}", place
                )
            if name in given:
                raise self.error(f"the option {name} appears twice", place)
            given[name] = self._value(argument.value, kind, name)
        return given

    def _complete(self, kind: TermSpec, given: dict[str, Any], position: int) -> None:
        """Check that every option without a default is given."""
        for name, option in kind.options.items():
            if option.default is inspect.Parameter.empty and name not in given:
                raise self.error(f"{kind.card.name} needs {name}=…, which has no default", position)

    def _value(self, node: ast.expr, kind: TermSpec, name: str) -> Any:
        value = _literal(node)
        expected = _unfit(value, kind.options[name])
        if expected:
            raise self.error(f"{kind.card.name} takes {expected} as {name}", self._at(node))
        return value


class _Nothing:
    """Marks an expression that is not a number, a text or a list of them."""


def _literal(node: ast.expr) -> Any:
    """Return the number, text or list that is written, without evaluating any code."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.Name(id=text):  # a text without quotes, which a shell would require to escape
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
    except OverflowError:  # an integer with hundreds of digits
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
"""For each type of option: a description of valid values, and a test for them."""


def _unfit(value: object, option: Option) -> str | None:
    """Return a description of valid values if `value` is invalid, else `None`."""
    words, fits = _FITTING.get(option.annotation, ("a number, a text or a list", lambda _: True))
    return None if value is not _Nothing and fits(value) else words
