"""Formulas over the quantities of one layer, as trees that genetic programming changes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from deap import base, gp

from diswot.bench.rank_statistics import Vector

QUANTITIES = {
    "q": "participation ratio of the layer's input channels",
    "r": "participation ratio of its output channels",
    "t": "number of kernel positions",
    "P": "number of output positions",
    "c": "number of output channels",
}
"""Symbol in formulas → quantity of a layer; each is at least 1."""

FUNCTIONS = {
    "add": (np.add, "({} + {})"),
    "multiply": (np.multiply, "({} * {})"),
    "divide": (np.divide, "({} / {})"),
    "minimum": (np.minimum, "minimum({}, {})"),
    "maximum": (np.maximum, "maximum({}, {})"),
    "sqrt": (np.sqrt, "sqrt({})"),
    "log1p": (np.log1p, "log1p({})"),
}
"""Name → function of positive numbers, whose values are positive too, and its notation."""


def _primitives() -> gp.PrimitiveSet:
    found = gp.PrimitiveSet("layer", len(QUANTITIES), prefix="QUANTITY")
    for name, (function, _) in FUNCTIONS.items():
        found.addPrimitive(function, function.nin, name=name)
    found.renameArguments(**dict(zip(found.arguments, QUANTITIES, strict=True)))
    return found


PRIMITIVES = _primitives()
"""What formulas are made of: quantities and functions, without constants."""


class Fitness(base.Fitness):  # type: ignore[misc]
    """The fitness of a formula, which is maximized."""

    weights = (1.0,)


class Formula(gp.PrimitiveTree):  # type: ignore[misc]
    """A formula over the quantities of one layer; the score of a network is its sum over layers.

    Examples:
        >>> student_fit = Formula.parse("multiply(sqrt(divide(multiply(q, r), P)), log1p(t))")
        >>> str(student_fit)
        '(sqrt(((q * r) / P)) * log1p(t))'
    """

    def __init__(self, content: Sequence[Any] = ()) -> None:
        super().__init__(content)
        self.fitness = Fitness()

    @classmethod
    def parse(cls, text: str) -> "Formula":
        """Return the formula that is written with names of functions, such as `multiply(q, r)`.

        Raises:
            KeyError: the text has another function or quantity.
        """
        words = text.replace("(", " ").replace(")", " ").replace(",", " ").split()
        return cls([PRIMITIVES.mapping[word] for word in words])

    def __call__(self, layers: Mapping[str, Vector]) -> Vector:
        """Return the value of each layer (M,).

        Args:
            layers: quantity → its values (M,).
        """
        # The tree is stored in prefix order, so operands are on the stack before their function.
        stack: list[Vector] = []
        for node in reversed(self):
            if node.arity:
                function, _ = FUNCTIONS[node.name]
                stack.append(function(*(stack.pop() for _ in range(node.arity))))
            else:
                stack.append(layers[node.value])
        return stack.pop()

    def __str__(self) -> str:
        stack: list[str] = []
        for node in reversed(self):
            if node.arity:
                _, notation = FUNCTIONS[node.name]
                stack.append(notation.format(*(stack.pop() for _ in range(node.arity))))
            else:
                stack.append(node.value)
        return stack.pop()
