"""Methods and students of `diswot distill`."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from diswot.errors import ExportError, OptionError
from diswot.options import filled, options_of
from diswot.progress import Progress, message

if TYPE_CHECKING:
    from torch import nn

    from diswot.methods import RunMethod
    from diswot.students import StudentSource
    from diswot.tasks import Dataset, Task
    from diswot.teachers import Teacher
    from diswot.training import Distillation
    from search_spaces import Architecture, SearchSpace, Signature


def method_of(name: str | None) -> RunMethod:
    """Find the method of a distillation.

    Raises:
        UnknownNameError: no method has this name.
        OptionError: its students are trained in runs only.
    """
    from diswot.methods import find_method

    method = find_method(name)
    if method.trains_source:
        raise OptionError(
            f"the method {method.name} trains networks that students are extracted from: use "
            f"`diswot run --method {method.name}`"
        )
    return method


def own_options(method: RunMethod, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a method, with defaults for those that are `None` or missing."""
    given = {name: value for name, value in options.items() if value is not None}
    return filled(method.options, options_of(method.options, given))


def split_options(
    options: Mapping[str, Any], *, without: Container[str]
) -> tuple[RunMethod, dict[str, Any], dict[str, Any]]:
    """Return the method, its options with defaults, and all others except those in `without`."""
    chosen = {name: value for name, value in options.items() if name not in without}
    method = method_of(chosen.pop("method", None))
    own = own_options(method, chosen)
    return method, own, {name: value for name, value in chosen.items() if name not in own}


def checked_loss(
    loss: str | None, method: RunMethod, task: Task, options: Mapping[str, Any]
) -> str:
    """Return the loss after checking it; by default the one by which a method distills."""
    from diswot.training import parse_objective

    losses = method.losses(task, options) if loss is None else (loss,)
    needs = {each: parse_objective(each).needs_teacher for each in losses}
    return next((each for each in losses if needs[each]), losses[0])


def source_of(
    method: RunMethod,
    own: Mapping[str, Any],
    space: SearchSpace,
    distillation: Distillation,
    root: str | None,
    progress: Progress,
) -> StudentSource:
    """Return the source of students of a method."""
    from diswot.methods import Workshop
    from diswot.tasks import data_root

    data, recipe = distillation.data, distillation.recipe

    def teacher() -> Teacher:
        if distillation.teacher is None:
            raise OptionError(f"the method {method.name} needs a teacher: name one")
        return distillation.teacher.source

    device = distillation.device
    given = teacher, space, data, data_root(root), device, recipe.seed, own, progress
    return method.source(Workshop(*given))


def checked_architectures(
    spec: str, names: Sequence[str], data: Dataset, *, progress: Progress
) -> tuple[SearchSpace, dict[str, Architecture]]:
    """Return the space, and the architectures by name after checking that each can be built.

    Forms that the first student cannot be exported in are reported.
    """
    from diswot.search import check_architecture, find_space, parse_architecture
    from diswot.students import build_student

    space = find_space(spec, data.signature)
    architectures = {name: parse_architecture(space, name) for name in names}
    for arch in architectures.values():
        check_architecture(space, arch, data)
    student = build_student(space, architectures[names[0]], data.signature, seed=0)
    _report_missing_forms(student, data.signature, progress)
    return space, architectures


def students_of(
    space: SearchSpace,
    architectures: Mapping[str, Architecture],
    source: StudentSource,
    *,
    seed: int,
) -> dict[str, Callable[[], nn.Module]]:
    """Return a factory per architecture."""
    from diswot.seeding import seed_for

    def built(arch: Architecture) -> nn.Module:
        drawn_from = seed_for(seed, "student", space.canonical_key(arch))
        return source.student(arch, seed=drawn_from)

    return {name: partial(built, arch) for name, arch in architectures.items()}


def _report_missing_forms(student: nn.Module, signature: Signature, progress: Progress) -> None:
    """Report, before the training, which forms the student cannot be exported in."""
    from diswot.export import dry_export

    try:
        missing = dry_export(student, signature, wanted={"source": False, "pt2": False})
    except ExportError as error:
        missing = {"any form": str(error)}
    for form, reason in missing.items():
        progress(message("export", f"the student cannot be exported as {form}: {reason}"))
