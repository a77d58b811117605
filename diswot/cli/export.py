"""`diswot export`: export a trained student to files that do not need DisWOT."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import _options as shared
from diswot.cli._declared import Folder, flagged, names, option
from diswot.cli._progress import displayed_progress
from diswot.cli._tables import print_exported, print_json
from diswot.cli._terminal import say
from diswot.errors import DataError, OptionError, RunFolderError
from diswot.options import DEFAULT_TASK, JobOptions, SearchOptions, options_of
from diswot.runs import MANIFEST
from diswot.runs.folder import check_new_folder

if TYPE_CHECKING:
    from diswot.tasks import Dataset
    from diswot.training import SavedStudent


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--arch", help="The architecture; by default the one that the run's verdict selects.")
@flagged(
    "--loss",
    help="Loss that the student was trained with; by default the one that is best on "
    "the validation split.",
)
@option(SearchOptions, "task", default=None, show_default=False, help="By default the run's.")
@flagged("--space", help="By default the run's, or the task's.")
@option(JobOptions, "onnx")
@click.option(
    "--pt2/--no-pt2",
    default=None,
    help="Write a torch.export archive; by default unless --no-onnx is given.",
)
@click.option("--int8", is_flag=True, help="Also quantize to 8 bits; needs ONNX and the data.")
@click.option(
    "--qat",
    is_flag=True,
    help="Fine-tune the 8-bit network with simulated quantization if it loses more than one point "
    "on the validation split (extra qat).",
)
@flagged(
    "--formats",
    callback=names,
    help="All formats to write, instead of the three options above: source,pt2,onnx,int8,openvino,"
    "executorch,litert,coreml.",
)
@flagged("--data", help="Data whose test split evaluates every format; by default the run's.")
@shared.IMAGE_SIZE
@shared.DATA_ROOT
@click.option("--out", type=Folder(), help="By default RUN/student.")
@click.option(
    "--push-to-hub",
    metavar="OWNER/NAME",
    help="Upload the folder to this repository of the Hugging Face Hub; a new one is private.",
)
@shared.JSON
def export(
    run: Path,
    arch: str | None,
    loss: str | None,
    task: str | None,
    space: str | None,
    onnx: bool | None,
    pt2: bool | None,
    int8: bool,
    qat: bool,
    formats: tuple[str, ...] | None,
    out: Path | None,
    push_to_hub: str | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Write a distilled student of RUN as plain PyTorch source, weights, archive and ONNX.

    RUN is a run folder, or a folder that `diswot distill` wrote.

    Example: diswot export runs/search-1 --out student/
    """
    from diswot.export import export as export_student
    from diswot.export import push
    from diswot.search import restored_student, task_of

    # 1. Check options before anything is loaded, 2. export, 3. upload.
    target = out or run / "student"
    forms: dict[str, Any] = {"onnx": onnx, "pt2": pt2, "int8": int8, "formats": formats}
    wanted = _checked(target, forms, push_to_hub=push_to_hub, qat=qat)
    used = _used(run, task)
    saved, space = _found(run, arch, loss, space)
    found_task = task_of(used, task)
    exported = export_student(
        restored_student(saved, space or found_task.space),
        target,
        task=found_task,
        data=_data(run, used, task=task, needed="int8" in wanted, **chosen),
        qat=qat,
        **forms,
    )
    pushed = {} if push_to_hub is None else {"commit": push(target, push_to_hub)}
    if as_json:
        print_json({"folder": str(target), "loss": saved.loss, **pushed, **exported.to_json()})
        return
    say(f"Exported {saved.architecture} ({saved.loss}) to {target}: {', '.join(exported.files)}")
    print_exported(exported)
    if pushed:
        say(f"Uploaded it to {push_to_hub}: {pushed['commit']}")
    say(f"Next: diswot predict {target} FOLDER, or cd {target} && python predict.py FILE")


def _checked(
    target: Path, forms: Mapping[str, Any], *, push_to_hub: str | None, qat: bool
) -> Mapping[str, bool]:
    """Check the options, and return the formats to write."""
    from diswot.export import check_fine_tuning, check_repo, wanted_forms

    check_new_folder(target)
    if push_to_hub is not None:
        check_repo(push_to_hub)
    wanted = wanted_forms(**forms)
    check_fine_tuning(wanted, qat=qat)
    return wanted


def _found(
    run: Path, arch: str | None, loss: str | None, space: str | None
) -> tuple[SavedStudent, str | None]:
    """Return the student to export and its search space, if known."""
    from diswot.pipeline import read_verdict
    from diswot.search import SPACES, load_run, restored_option
    from diswot.training import saved_students

    students = saved_students(run)
    if (run / MANIFEST).exists():
        result = load_run(run)
        space = restored_option("space", result.manifest["settings"]["space"], space, SPACES)
        verdict = read_verdict(run)
        if verdict is not None and arch is None and loss is None:
            arch, loss = verdict.architecture, verdict.loss
        arch = arch or result.best.name
    return _chosen(run, students, arch, loss), space


def _used(run: Path, task: str | None) -> Mapping[str, Any]:
    """Return the settings of a run, or those of a training in the same format."""
    from diswot.search import read_manifest, task_of
    from diswot.training import read_training_manifest

    if (run / MANIFEST).exists():
        settings: Mapping[str, Any] = read_manifest(run)["settings"]
        return settings
    manifest = read_training_manifest(run)
    options = {} if manifest is None else manifest.options
    known = {name: value for name, value in options.items() if value is not None}
    source = {"data": known.get("data"), "root": known.get("data_root")}
    source |= options_of(task_of(known, task).options, known)
    return {"task": known.get("task", DEFAULT_TASK), "data_source": source}


def _data(
    run: Path, used: Mapping[str, Any], *, data: str | None, needed: bool, **options: Any
) -> Dataset | None:
    """Load the data of a run or `--data`; `None`, with a warning, if unavailable."""
    from diswot.search import data_again

    try:
        if data is None and not (used.get("data") or used["data_source"]["data"]):
            raise OptionError(f"{run} does not name its data: give --data")
        with displayed_progress() as progress:
            return data_again(used, data, progress=progress, **options)
    except (DataError, OptionError) as error:
        if needed or data is not None:
            raise
        say(f"warning: no form is evaluated on a test split: {error}", err=True)
        return None


def _chosen(
    run: Path, students: list[SavedStudent], arch: str | None, loss: str | None
) -> SavedStudent:
    """Return the first matching student; `students` are sorted by validation result."""
    for student in students:
        if arch in (None, student.architecture) and loss in (None, student.loss):
            return student
    advice = f"train one with diswot distill {run}"
    if not students:
        raise RunFolderError(f"{run} has no trained students: {advice}")
    wanted = " ".join(word for word in (arch, loss) if word)
    there = ", ".join(f"{s.architecture} ({s.loss})" for s in students)
    raise RunFolderError(f"{run} has no trained student {wanted}, but {there}: {advice}")
