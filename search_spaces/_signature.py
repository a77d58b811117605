"""The signature of a network: names, shapes and types of its inputs, and number of outputs."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

OPEN_LENGTH = 16
"""Default length of examples along axes of variable length."""

_FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})
_INTEGERS = frozenset({"uint8", "int8", "int16", "int32", "int64"})


@dataclass(frozen=True)
class TensorSpec:
    """One input of a network, without the batch axis.

    Attributes:
        name: name of the input in exported programs.
        shape: axes after the batch axis; `None` for an axis of variable length.
        dtype: name of a torch type: `float32`, `int64`, `bool`, …
        low: smallest value of an integer input.
        high: largest value of an integer input plus one.

    Raises:
        ValueError: the type is unknown, an axis is shorter than 1, or an integer input has no
            range of values.

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
        """Return a random tensor of shape (batch, *shape).

        Args:
            batch: length of the batch axis.
            length: length of axes of variable length.
            device: torch device; on `meta`, no values are drawn.
            generator: CPU generator of the values; by default torch's global one.
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
    """Shapes and types of a network's inputs, and its number of outputs.

    Search, costs, latency and export only depend on the signature, not on the task.

    Attributes:
        inputs: the inputs, in order.
        outputs: number of values returned per example: classes, coordinates, …
        facts: further properties of the data that the task needs, as JSON values; tuples
            become lists.

    Raises:
        ValueError: there is no input or no output, two inputs have the same name, or a number
            in `facts` is not finite.
        TypeError: `facts` has values that JSON does not have.

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
        """Names of the inputs."""
        return tuple(spec.name for spec in self.inputs)

    def example(
        self,
        batch: int,
        *,
        length: int = OPEN_LENGTH,
        device: str = "cpu",
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, ...]:
        """Return random inputs, one tensor per input, each of shape (batch, *shape).

        Args:
            batch: length of the batch axis.
            length: length of axes of variable length.
            device: torch device; on `meta`, no values are drawn.
            generator: CPU generator of the values; by default torch's global one.
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
        """Return the signature as JSON values, for manifests."""
        return {
            "inputs": [asdict(spec) for spec in self.inputs],
            "outputs": self.outputs,
            "facts": dict(self.facts),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Signature":
        """Make a signature from the values of `to_json`.

        Raises:
            KeyError: a value is missing.
            TypeError: a value has the wrong type.
            ValueError: a value is invalid.
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
    """Check that a JSON value is an integer.

    Raises:
        TypeError: it is not.
    """
    if type(value) is not int:
        raise TypeError(f"Expected a whole number, but got {value!r}")
    return value
