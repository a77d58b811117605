"""DisWOT: which small network should I distill my teacher into?

Candidate students with random weights are compared with the teacher on a batch of data,
an evolutionary search follows that score under a budget, and the winner is distilled and
exported.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diswot.errors import DiswotError, RunError
    from diswot.export import Exported, export, predict
    from diswot.pipeline import RunReport, resume, run
    from diswot.report import Comparison, Report, compare_runs, write_report
    from diswot.search import Budget, Candidate, SearchResult, load_run, score, search
    from diswot.tasks.images import load_data
    from diswot.teachers import load_checkpoint
    from diswot.training import Training, distill, train_teacher

__all__ = [
    "Budget",
    "Candidate",
    "Comparison",
    "DiswotError",
    "Exported",
    "Report",
    "RunError",
    "RunReport",
    "SearchResult",
    "Training",
    "compare_runs",
    "distill",
    "export",
    "load_checkpoint",
    "load_data",
    "load_run",
    "predict",
    "resume",
    "run",
    "score",
    "search",
    "train_teacher",
    "write_report",
]

_ROOMS = {
    "tasks.images": ("load_data",),
    "training": ("Training", "distill", "train_teacher"),
    "errors": ("DiswotError", "RunError"),
    "export": ("Exported", "export", "predict"),
    "pipeline": ("RunReport", "resume", "run"),
    "report": ("Comparison", "Report", "compare_runs", "write_report"),
    "search": ("Budget", "Candidate", "SearchResult", "load_run", "score", "search"),
    "teachers": ("load_checkpoint",),
}
_HOMES = {name: f"diswot.{room}" for room, names in _ROOMS.items() for name in names}
"""Where each public name is defined; its module, and with it torch, is imported on first use."""

_TEACHERS_OF_IMAGES = ("TEACHERS", "AsTrained", "check_teacher", "check_trained", "find_teacher")
"""Names of version 0.1.0 in `diswot.teachers` that are those of the task of images today."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("diswot")
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    elif not name.startswith("_") and find_spec(f"diswot.{name}"):
        value = import_module(f"diswot.{name}")
    else:
        value = _released(name)
    setattr(sys.modules[__name__], name, value)
    return value


def _released(name: str) -> Any:
    """Return what version 0.1.0 had here that today its task alone has."""
    names = {} if name.startswith("_") else import_module("diswot.tasks.images").RELEASED
    if name not in names:
        raise AttributeError(f"module 'diswot' has no attribute {name!r}")
    return names[name]


def _released_teacher(name: str) -> Any:
    """Return what version 0.1.0 had in `diswot.teachers` from where it is today."""
    if name in _TEACHERS_OF_IMAGES:
        return getattr(import_module("diswot.tasks.images.teachers"), name)
    raise AttributeError(f"module 'diswot.teachers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})


class _Package(ModuleType):
    """Type of this package; `__setattr__` runs when one of its packages is imported.

    `diswot.search` and `diswot.export` stay functions. `diswot.teachers` keeps the names of
    version 0.1.0 that are in the images task today, without importing a package above it.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "teachers":
            value.__getattr__ = _released_teacher
        if isinstance(value, ModuleType) and _HOMES.get(name) == value.__name__:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
