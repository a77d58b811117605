"""The parts of an exported student's folder that depend on the task."""

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diswot.errors import ExportError, first_line
from search_spaces import OPEN_LENGTH, Signature


@dataclass(frozen=True)
class Packaging:
    """The task's part of an exported folder: configuration, model card, `predict.py`.

    Files are rendered from the templates of `diswot.export`. A task's own templates replace
    them, or extend them as `export/README.md.j2`, `export/student.py.j2` and
    `export/predict.py.j2`. In templates, `config` is the content of `config.json`.

    Attributes:
        signature: shapes of the student's inputs and outputs.
        config: entries of `config.json` on inputs and outputs, as JSON values.
        pipeline_tag: tag of the model card, a task of the Hugging Face Hub; `None` for no tag.
        output: name of the output in ONNX.
        predicts: what `predict.py` does, for the model card.
        templates: folder with the task's own templates; `None` if it has none.
        values: further variables of the templates, such as source code for `predict.py`.
        files: further files such as a tokenizer, by name: their text and a description.
        shorter: whether inputs may be shorter along their axes than in the signature, such as
            texts; exported programs then take any length up to that, if the network does.
    """

    signature: Signature
    config: Mapping[str, Any] = field(default_factory=dict)
    pipeline_tag: str | None = None
    output: str = "output"
    predicts: str = "takes arrays and prints the output"
    templates: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    shorter: bool = False

    def example(
        self, count: int, *, length: int = OPEN_LENGTH, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        """Return random examples on which every exported format is run.

        A task whose inputs depend on each other overrides this method.

        Args:
            count: number of examples.
            length: length of axes of variable length.
            generator: draws the values.

        Returns:
            One tensor per input, each (count, …).
        """
        return self.signature.example(count, length=length, generator=generator)


def source_of(*functions: Callable[..., Any]) -> str:
    """Return the source code of functions and of everything in their modules that they use.

    Imports of modules and classes must be added by the caller.

    Args:
        *functions: functions of one or several modules.
    """
    needed: dict[str, str] = {}

    def visit(name: str, value: Any) -> None:
        if name in needed:
            return
        if not isinstance(value, types.FunctionType):
            needed[name] = f"{name} = {value!r}\n"
            return
        needed[name] = ""  # reserve the name: functions may refer to each other
        for item in value.__code__.co_names:
            result = value.__globals__.get(item)
            if isinstance(result, types.FunctionType | tuple | int | str | float):
                visit(item, result)
        needed[name] = f"\n\n{inspect.getsource(value)}"

    for function in functions:
        visit(function.__name__, function)
    return "".join(sorted(needed.values(), key=lambda text: text.startswith("\n")))


@contextmanager
def describes(signature: Signature, what: str) -> Iterator[None]:
    """Turn errors of reading a signature inside the block into errors of the export.

    Args:
        signature: signature of the student.
        what: what it should describe, such as `images with points`.

    Raises:
        ExportError: an entry is missing or invalid.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(
            f"the student takes {signature.describe()}, which describes no {what} "
            f"({first_line(error)}): pass data=…, or task=… of another task"
        ) from error
