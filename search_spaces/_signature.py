"""What a network takes and gives, without a word about what it means."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

OPEN_LENGTH = 16
"""Length that an example has along an axis of any length."""

_FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})
_INTEGERS = frozenset({"uint8", "int8", "int16", "int32", "int64"})


@dataclass(frozen=True)
class TensorSpec:
    """One input of a network, without the batch axis.

    Attributes:
        name: what the input is called in exported programs.
        shape: its axes after the batch axis; `None` for an axis of any length.
        dtype: a name of torch: `float32`, `int64`, `bool`, …
        low: smallest value of an integer input.
        high: largest value of an integer input plus one.

    Raises:
        ValueError: the type is unknown, an axis is shorter than 1, or an integer input does
            not say which values it takes.

    Examples:
        >>> TensorSpec("input_ids", (None,), "int64", high=1000).example(2).shape
        torch.Size([2, 16])
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    low: int = 0
    high: int | None = None

    def __post_init__(self) -> None:
        if self.dtype not in _FLOATS | _INTEGERS | {"bool"}:
            known = ", ".join(sorted(_FLOATS | _INTEGERS | {"bool"}))
            raise ValueError(
                f"Expected the type of {self.name} to be one of {known}, but got {self.dtype!r}"
            )
        if any(axis is not None and axis < 1 for axis in self.shape):
            raise ValueError(f"Expected axes of at least 1 for {self.name}, but got {self.shape}")
        if self.dtype in _INTEGERS and (self.high is None or self.high <= self.low):
            raise ValueError(
                f"Expected the integer input {self.name} to say which values it takes "
                f"(low < high), but got low {self.low} and high {self.high}"
            )

    def example(
        self,
        batch: int,
        *,
        length: int = OPEN_LENGTH,
        device: str = "cpu",
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return a tensor of this kind: (batch, *shape).

        Args:
            batch: length of the batch axis.
            length: of the axes of any length.
            device: where it is needed; on `meta` nothing is drawn.
            generator: draws the values, on the CPU; by default torch's global one.
        """
        shape = (batch, *(length if axis is None else axis for axis in self.shape))
        dtype = getattr(torch, self.dtype)
        if device == "meta":
            return torch.empty(shape, dtype=dtype, device="meta")
        if self.dtype == "bool":
            return torch.ones(shape, dtype=dtype, device=device)
        if self.high is not None and self.dtype in _INTEGERS:
            return torch.randint(self.low, self.high, shape, dtype=dtype, generator=generator).to(
                device
            )
        return torch.randn(shape, generator=generator).to(device, dtype)


@dataclass(frozen=True)
class Signature:
    """All that search, costs, latency, journal and export know of a network's data.

    Attributes:
        inputs: what the network takes, in order.
        outputs: how many numbers it returns for one input: classes, coordinates, …
        facts: what else the task keeps of its data, as plain values of JSON; tuples become lists.

    Raises:
        ValueError: there is no input or no output, two inputs have one name, or a fact is no
            finite number.
        TypeError: the facts are no plain values.

    Examples:
        >>> signature = Signature((TensorSpec("images", (3, 32, 32)),), 10)
        >>> [tuple(tensor.shape) for tensor in signature.example(4)]
        [(4, 3, 32, 32)]
        >>> Signature.from_json(signature.to_json()) == signature
        True
    """

    inputs: tuple[TensorSpec, ...]
    outputs: int
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.inputs:
            raise ValueError("Expected a signature of at least one input, but got none")
        if self.outputs < 1:
            raise ValueError(f"Expected at least one output, but got {self.outputs}")
        if len({spec.name for spec in self.inputs}) < len(self.inputs):
            raise ValueError(f"Expected inputs of different names, but got {self.names}")
        plain = json.loads(json.dumps(dict(self.facts), allow_nan=False))  # equal to what is read
        object.__setattr__(self, "facts", plain)

    @property
    def names(self) -> tuple[str, ...]:
        """What the inputs are called."""
        return tuple(spec.name for spec in self.inputs)

    def example(
        self,
        batch: int,
        *,
        length: int = OPEN_LENGTH,
        device: str = "cpu",
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, ...]:
        """Return tensors that the network takes, one per input: (batch, *shape).

        Args:
            batch: length of the batch axis.
            length: of the axes of any length.
            device: where they are needed; on `meta` nothing is drawn.
            generator: draws the values, on the CPU; by default torch's global one.
        """
        return tuple(
            spec.example(batch, length=length, device=device, generator=generator)
            for spec in self.inputs
        )

    def describe(self) -> str:
        """Return the inputs for messages, such as `images 3×32×32`."""
        return ", ".join(
            f"{spec.name} " + "×".join("any" if axis is None else str(axis) for axis in spec.shape)
            for spec in self.inputs
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for manifests."""
        return {
            "inputs": [asdict(spec) for spec in self.inputs],
            "outputs": self.outputs,
            "facts": dict(self.facts),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Signature":
        """Read back what `to_json` and JSON made of it.

        Raises:
            KeyError: something is missing.
            TypeError: something is of another type.
            ValueError: the values describe no signature.
        """
        inputs = tuple(
            TensorSpec(
                str(spec["name"]),
                tuple(None if axis is None else _whole(axis) for axis in spec["shape"]),
                str(spec["dtype"]),
                _whole(spec["low"]),
                None if spec["high"] is None else _whole(spec["high"]),
            )
            for spec in values["inputs"]
        )
        return cls(inputs, _whole(values["outputs"]), dict(values["facts"]))


def _whole(value: object) -> int:
    """Return a whole number, as JSON has it.

    Raises:
        TypeError: it is something else.
    """
    if type(value) is not int:
        raise TypeError(f"Expected a whole number, but got {value!r}")
    return value
