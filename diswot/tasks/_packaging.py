"""What a task adds to the folder of an exported student."""

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from search_spaces import OPEN_LENGTH, Signature


@dataclass(frozen=True)
class Packaging:
    """What an exported student says about its inputs and its output.

    The files of the folder are written from the templates of `diswot.export`; a task's own
    templates take their place, or extend them as `export/README.md.j2`,
    `export/student.py.j2` and `export/predict.py.j2`. They see `config`, all that
    `config.json` holds.

    Attributes:
        signature: what the student takes and gives.
        config: what `config.json` says about that, as plain values of JSON.
        pipeline_tag: of the model card, a task of the Hugging Face Hub; `None` for no tag.
        output: what the output is called in ONNX.
        predicts: what the card says that `predict.py` does.
        templates: folder of the task's own templates, where it has such.
        values: what else these name, such as source that `predict.py` is to hold.
        files: what else the folder holds, such as a tokenizer: text, and what it is, by name.
    """

    signature: Signature
    config: Mapping[str, Any] = field(default_factory=dict)
    pipeline_tag: str | None = None
    output: str = "output"
    predicts: str = "takes arrays and prints the output"
    templates: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def example(
        self, count: int, *, length: int = OPEN_LENGTH, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        """Return `count` examples that every form is run on, one tensor per input: (count, …).

        A task whose inputs depend on each other overrides it.

        Args:
            count: length of the batch axis.
            length: of the axes of any length.
            generator: draws the values.
        """
        return self.signature.example(count, length=length, generator=generator)


def source_of(*functions: Callable[..., Any]) -> str:
    """Return the source of functions, after that of all of their modules that they use.

    Modules and classes that it names are left to be imported.
    """
    needed: dict[str, str] = {}

    def visit(name: str, value: Any) -> None:
        if name in needed:
            return
        if not isinstance(value, types.FunctionType):
            needed[name] = f"{name} = {value!r}\n"
            return
        needed[name] = ""  # its place is taken: functions may name each other
        for each in value.__code__.co_names:
            found = value.__globals__.get(each)
            if isinstance(found, types.FunctionType | tuple | int | str | float):
                visit(each, found)
        needed[name] = f"\n\n{inspect.getsource(value)}"

    for function in functions:
        visit(function.__name__, function)
    return "".join(sorted(needed.values(), key=lambda text: text.startswith("\n")))
