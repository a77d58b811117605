"""`diswot distill`: train a student with a teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import _options as shared
from diswot.cli._command import Command
from diswot.cli._declared import Folder, flagged, option
from diswot.cli._distilled_students import (
    checked_architectures,
    checked_loss,
    method_of,
    own_options,
    source_of,
    split_options,
    students_of,
)
from diswot.cli._progress import Display, tracked_progress
from diswot.cli._runs import RunSettings, open_run, with_defaults
from diswot.cli._shortlist import SHORTLIST, print_halving
from diswot.cli._tables import counted, print_json, print_reads, print_table
from diswot.cli._terminal import say
from diswot.cli._trainings import found_by_name, located, options_before
from diswot.devices import is_first
from diswot.errors import OptionError
from diswot.options import DEFAULT_METHOD, JobOptions, SearchOptions, declared
from diswot.runs import working_in
from diswot.runs.config import write_config
from diswot.runs.folder import check_new_folder, next_folder

if TYPE_CHECKING:
    from diswot.methods import RunMethod
    from diswot.search import SearchResult
    from diswot.tasks import Task
    from diswot.training import Distillation, Halving, TrainingManifest

_TEXTS = ("architectures", "loss", "space", "data")
"""Required options of a distillation."""

_NAMED = (*_TEXTS, "teacher", "seed")
"""Options that a distillation reads one by one."""


@click.command(cls=Command, takes_config=True)
@click.argument("run", required=False, type=click.Path(path_type=Path), metavar="[RUN]")
@flagged("--arch", group="Task", help="The architecture; by default the run's winner.")
@SHORTLIST
@flagged(
    "--loss",
    group="Training",
    help="A name of `diswot list losses`, or an expression such as 'ce + 0.9*kd(T=4) + 100*at'; "
    "by default that of the method, or the task's: diswot for images.",
)
@option(JobOptions, "method", help="How students are trained, a name of `diswot list methods`.")
@option(SearchOptions, "task", default=None, show_default=False, help="By default the run's.")
@flagged("--teacher", group="Task", help="By default the run's, or the task's.")
@shared.TEACHER_WEIGHTS
@shared.TEACHER_CLASSES
@flagged("--space", group="Task", help="By default the run's, or the task's.")
@flagged("--data", group="Task", help="By default the run's, or the task's.")
@shared.IMAGE_SIZE
@shared.DATA_ROOT
@shared.training_options
@option(SearchOptions, "seed", default=None, show_default=False, help="By default the run's, or 0.")
@shared.DEVICE
@flagged("--out", type=Folder(), help="By default RUN/distill/LOSS.")
@shared.TRACK
@shared.JSON
def distill(
    run: Path | None,
    arch: str | None,
    shortlist: int,
    loss: str | None,
    teacher: str | None,
    space: str | None,
    data: str | None,
    out: Path | None,
    track: Sequence[str] | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Distill a run's winner, or any architecture named with --arch.

    `diswot resume` resumes a training that was stopped. Several GPUs:
    torchrun --nproc-per-node 2 -m diswot distill …

    Example: diswot distill runs/search-1 --loss diswot-dagger --epochs 240
    """
    from diswot.tasks import find_subject

    task = find_subject(chosen).task
    own = {"teacher_classes": chosen.pop("teacher_classes")}
    kept = ("task", "teacher_weights", "data_root", "seed")
    settings = RunSettings(
        teacher=teacher,
        space=space,
        data=data,
        **task.recorded(own),
        **{name: chosen.pop(name) for name in kept},
        options={name: chosen.pop(name) for name in declared(task.options) if name in chosen},
    )
    method = method_of(chosen.pop("method"))
    if shortlist > 1 and (run is None or arch is not None):
        raise OptionError("--shortlist needs a run: give its folder, without --arch")
    listed: list[str] = []
    if run is not None:
        result, settings = open_run(run, settings)
        _check_fresh(result, run, method)
        listed = _shortlisted(result, shortlist, run)
    names = listed if arch is None else [arch]
    if not names:
        raise OptionError("Expected a run folder or --arch, but got neither: name what to distill")
    used, task = with_defaults(settings)
    of_method = own_options(method, chosen)
    loss = checked_loss(loss, method, task, of_method)
    folder = _new(out or _folder(run, loss, names, winner=listed[:1]))
    chosen |= {"method": method.name, **method.recorded(of_method)}
    options = {"architectures": names, "loss": loss, **used.as_options(), **chosen}
    options, display = located(options, task), tracked_progress(track, folder)
    _distill(folder, options, display, as_json=as_json, exported=run or folder)


def _new(folder: Path) -> Path:
    """Check that a folder is new, or has a stopped training."""
    from diswot.training import is_unfinished

    if not is_unfinished(folder):
        check_new_folder(folder)
    return folder


def _check_fresh(result: SearchResult, run: Path, method: RunMethod) -> None:
    """Check that the students of a run can be trained outside of it.

    Raises:
        OptionError: they inherit weights that another method made.
    """
    if "students" in result.manifest and method.name == DEFAULT_METHOD:
        made = (result.manifest.get("job") or {}).get("method", "supernet")
        raise OptionError(
            f"the students of {run} inherit weights and are trained in the run itself, by the "
            f"method {made}: `diswot resume` trains them, or name --space and --arch without the "
            "run"
        )


def _shortlisted(result: SearchResult, count: int, run: Path) -> list[str]:
    if count > len(result.candidates):
        raise OptionError(
            f"--shortlist {count} is more than the {len(result.candidates)} candidates of "
            f"{run}: take fewer"
        )
    return [candidate.name for candidate in result.shortlist(count)]


def resume_training(
    folder: Path,
    manifest: TrainingManifest,
    given: Mapping[str, Any],
    display: Display,
    *,
    as_json: bool,
) -> None:
    """Resume a stopped `diswot distill`; the folder has its checkpoint and manifest."""
    options = options_before(distill, manifest, given, folder=folder, texts=_TEXTS)
    _distill(folder, options, display, as_json=as_json, exported=folder)


def _distill(
    folder: Path, options: Mapping[str, Any], display: Display, *, as_json: bool, exported: Path
) -> None:
    from diswot.search import check_space_name
    from diswot.tasks import find_subject
    from diswot.training import (
        TrainingManifest,
        check_distillation,
        halve,
        parse_objective,
        prepare_distillation,
    )

    # 1. Check all options before anything is loaded or trained.
    names, loss, space_name, data, teacher, seed = (options[name] for name in _NAMED)
    method, own, chosen = split_options(options, without=_NAMED)
    subject = find_subject(chosen, data=data)
    chosen = subject.without_own(chosen)
    check_space_name(space_name)
    subject.check()
    method.check(subject.task, {**chosen, **own, "data": subject.data})
    check_distillation(teacher, data=data, loss=loss, seed=seed, **chosen)
    with working_in(folder), display as progress:
        # 2. Load data, build students, test their export, prepare the teacher. 3. Train.
        loaded = subject.load(progress)
        method.searched(loaded, own)  # a pool that cannot be used is an error before training
        space, checked = checked_architectures(space_name, names, loaded, progress=progress)
        prepared = prepare_distillation(
            teacher if parse_objective(loss).needs_teacher else None,
            data=loaded,
            seed=seed,
            progress=progress,
            **chosen,
        )
        distillation = replace(prepared, make=method.training(own))
        source = source_of(method, own, space, distillation, chosen.get("data_root"), progress)
        students = students_of(space, checked, source, seed=seed)
        of = {"students": list(students), **distillation.conditions(loss)}
        with TrainingManifest("distill", options, of).kept(folder):
            _write_config(folder, options, subject.task)
            halving = halve(students, distillation, loss=loss, folder=folder, progress=progress)
    if as_json:
        print_json(_record(halving, distillation, folder))
    else:
        _print(halving, distillation, exported, several=len(students) > 1)


def _write_config(folder: Path, options: Mapping[str, Any], task: Task) -> None:
    """Write a config file with which `diswot distill --config` repeats the training."""
    from diswot.tasks import TASKS

    names = options["architectures"]
    if not is_first() or len(names) > 1:
        return
    kept = {name: value for name, value in options.items() if name != "architectures"}
    known = {"task": TASKS, **found_by_name(task)}
    code = {name: None for name, names in known.items() if kept[name] not in names}
    write_config(folder, "distill", {"arch": names[0], **kept, **code})


def _folder(run: Path | None, loss: str, names: Sequence[str], *, winner: Sequence[str]) -> Path:
    from diswot.training import folder_name

    if run is None:
        return next_folder(Path("runs"), f"distill-{folder_name(loss)}")
    if len(names) > 1:
        return run / "distill" / folder_name(loss, f"shortlist-{len(names)}")
    return run / "distill" / folder_name(loss, *([] if names == winner else names))


def _record(halving: Halving, distillation: Distillation, folder: Path) -> dict[str, object]:
    teacher, training = distillation.teacher, halving.training
    test = training.test
    return {
        "folder": str(folder),
        "architecture": halving.best,
        "loss": training.objective,
        "best_epoch": training.best_epoch,
        f"test_{test.name}": test.value,
        f"test_{test.name}_95": [test.low, test.high],
        f"teacher_test_{test.name}": teacher.test.value if teacher else None,
        "halving": halving.to_json(),
        **({} if training.train_reads is None else {"train_reads": training.train_reads}),
    }


def _print(halving: Halving, distillation: Distillation, exported: Path, *, several: bool) -> None:
    if several:
        print_halving(halving)
    name, training = halving.best, halving.training
    teacher, test = distillation.teacher, training.test
    print_table(
        f"Test {test.name}{test.unit and f' in {test.unit}'}, with 95 % interval",
        ["network", "loss", "best epoch", test.name],
        [
            *([[f"teacher {teacher.source.name}", "–", "–", str(teacher.test)]] if teacher else []),
            [name, training.objective, str(training.best_epoch), str(test)],
        ],
        caption=f"{test.n:,} test examples, not used for selection; "
        f"seed {distillation.recipe.seed}, {counted(distillation.recipe.epochs, 'epoch')}.",
    )
    print_reads({training.objective: training})
    say(f"Next: diswot export {exported}")
