"""Render the texts of an exported folder from templates."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
)

from diswot.tasks import Measure, Packaging
from search_spaces import TensorSpec

TEMPLATES = Path(__file__).with_name("templates")


def render(name: str, packaging: Packaging, **values: Any) -> str:
    """Render a template.

    Args:
        name: name of the template.
        packaging: the task's own templates and their variables.
        **values: further variables.
    """
    environment = Environment(
        loader=_loader(packaging.templates),
        autoescape=False,  # noqa: S701  (Markdown and Python, written for no browser)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= _FILTERS
    signature = packaging.signature
    known = {"inputs": signature.inputs, "outputs": signature.outputs, **packaging.values}
    return environment.get_template(name).render(**known, **values)


def _loader(own: Path | None) -> BaseLoader:
    """Return a loader of the task's templates, then of those here (also as `export/…`)."""
    here = FileSystemLoader(TEMPLATES)
    first = [] if own is None else [FileSystemLoader(own)]
    return ChoiceLoader([*first, PrefixLoader({"export": here}), here])


def _measured(values: Mapping[str, Any], what: str, metric: Mapping[str, Any] | None) -> str:
    """Format a metric of a record with its interval; empty if the record has none."""
    name = f"{what}_{metric['name']}" if metric else ""
    if metric is None or name not in values:
        return ""
    value, ends = values[name], values.get(f"{name}_95")
    low, high = ends or (value, value)
    result = str(Measure(metric["name"], value, low, high, 1, unit=metric["unit"]))
    return result if ends else result.partition(" [")[0]


def _measure(values: Mapping[str, Any]) -> str:
    """Format the JSON values of a measure, without its interval."""
    return Measure.from_json(values).brief


def _described(inputs: Sequence[TensorSpec]) -> str:
    """Describe inputs, such as `points 3×any (float32) and labels 2 (int64)`."""
    texts = [f"{spec.name} {_shape(spec)} ({spec.dtype})" for spec in inputs]
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def _shape(spec: TensorSpec) -> str:
    return "×".join("any" if axis is None else str(axis) for axis in spec.shape) or "one number"


def _array(spec: TensorSpec, library: str) -> str:
    """Return the code of a call that makes a valid example (a batch of one) of an input."""
    example = spec.example(1, device="meta")
    dtype = f"torch.{spec.dtype}" if library == "torch" else f'"{spec.dtype}"'
    value = 1 if spec.dtype == "bool" else spec.low
    return f"{library}.full({tuple(example.shape)}, {value}, dtype={dtype})"


_FILTERS: Mapping[str, Callable[..., str]] = {
    "measured": _measured,
    "measure": _measure,
    "described": _described,
    "shape": _shape,
    "array": _array,
    "number": "{:,}".format,
    "repr": repr,
}
