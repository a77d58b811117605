"""`resume`: continue a stopped run."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard, Unpack

from diswot.bars import displayed
from diswot.errors import DiswotError, RunFolderError
from diswot.export import require_onnx
from diswot.methods import METHODS, WholeReport, find_method
from diswot.options import (
    DEFAULT_METHOD,
    DistillationOptions,
    JobOptions,
    ResumeOptions,
    declared,
    takes_options,
)
from diswot.pipeline._job import TRAINING, workshop_of
from diswot.pipeline._make_students import MakeStudents
from diswot.pipeline._method import with_method
from diswot.pipeline._report import RunReport
from diswot.pipeline._short_trainings import trained_briefly
from diswot.pipeline._stage import Run, known_result, run_stages
from diswot.pipeline._stages import main_job
from diswot.pipeline._students import TrainingSetup
from diswot.pipeline._whole import resumed, whole_run_of
from diswot.progress import Progress
from diswot.runs import working_in
from diswot.search import (
    SPACES,
    SearchResult,
    check_resume,
    data_again,
    read_manifest,
    restored_option,
    task_of,
)
from diswot.search import resume as resume_search
from diswot.training import ADDED, Recipe

_EARLIER = {
    "teacher_view": "student",
    "method": DEFAULT_METHOD,
    **{name: getattr(Recipe(1), name) for name in ADDED},
}
"""Options that runs of earlier versions do not record, with the values that were fixed then."""


@takes_options
def resume(
    folder: str | Path, *, progress: Progress | bool | None = None, **options: Unpack[ResumeOptions]
) -> "RunReport | SearchResult | WholeReport":
    """Resume a stopped run: a search, or all stages of `diswot run`.

    Finished trainings are not repeated; an interrupted one continues from its checkpoint.

    Args:
        folder: the run folder.
        progress: a callback for every step, or `False` for none; by default progress bars are
            drawn if standard error is a terminal or this is a notebook.
        **options: see [`ResumeOptions`][diswot.search.ResumeOptions].

    Returns:
        The report of a run, or the result of a search.

    Raises:
        RunFolderError: the folder is not a run folder, is damaged, of another version, or in
            use by another process; or data, teacher or space differ from the run.
        DiswotError: a name does not exist, or options contradict each other.
        RunError: every candidate failed, or a loss is not finite.
    """
    with displayed(progress) as report:
        path = Path(folder)
        if (method := whole_run_of(path)) is not None:
            with working_in(path):
                return resumed(method, path, options, progress=report)
        read_manifest(path)  # raises before a lock file is written into a folder of others
        with working_in(path):
            manifest = read_manifest(path)
            job = _job_of(manifest, path)
            if job is None:
                return resume_search(path, progress=report, **options)
            return _resume_job(path, manifest, options, job=job, progress=report)


def _resume_job(
    folder: Path,
    manifest: Mapping[str, Any],
    options: ResumeOptions,
    *,
    job: Mapping[str, Any],
    progress: Progress,
) -> RunReport:
    """Resume the search of a run, then its trainings and the export."""
    if job["onnx"]:
        require_onnx()
    check_resume(folder, manifest, **options)
    settings = manifest["settings"]
    known = task_of(settings, options.get("task"), data=options.get("data")).teacher_sources
    teacher = restored_option("teacher", settings["teacher"], options.get("teacher"), known)
    options["data"] = data_again(
        settings,
        options.get("data"),
        task=options.get("task"),
        image_size=options.pop("image_size", None),
        data_root=options.get("data_root"),
        progress=progress,
    )
    if options.get("data_root") is None and options["data"].source is not None:
        options["data_root"] = options["data"].source.root
    method, own, _ = with_method(job)
    trained = {**options, **_training_options_of(settings, job, options)}
    setup = TrainingSetup(teacher, trained, progress, method=method, own=own)
    needs_teacher = method.needs_teacher or settings["teacher_state"] == "trained"
    space = restored_option("space", settings["space"], options.get("space"), SPACES)
    students = MakeStudents(method, partial(workshop_of, space, dict(options), own))

    def again(run: Run) -> SearchResult:
        if needs_teacher:
            options["teacher"] = run.setup.trained_teacher()
        options["data"] = method.searched(options["data"], own)
        source = run.of(MakeStudents)
        search = resume_search(folder, source=source, progress=progress, **options)
        return trained_briefly(run, search, options)

    stages = main_job(again, students, teacher_first=needs_teacher)
    return run_stages(stages, Run(folder, setup, job, known_result(folder)))


def _training_options_of(
    settings: Mapping[str, Any], job: Mapping[str, Any], options: ResumeOptions
) -> dict[str, Any]:
    """Return the training options of a manifest; weights and device can be overridden."""
    used = {
        "task": options["data"].task.name,
        "seed": settings["seed"],
        "teacher_classes": settings.get("teacher_classes"),
    }
    used |= {name: job[name] for name in TRAINING}
    return used | {
        "teacher_weights": options.get("teacher_weights") or settings["teacher_weights"],
        "device": options.get("device") or settings["device"],
    }


def _job_of(manifest: Mapping[str, Any], folder: Path) -> Mapping[str, Any] | None:
    """Return the options of a run in addition to its search; `None` for a stand-alone search."""
    job = manifest.get("job", {})
    if job is None:
        return None
    if isinstance(job, dict):
        job = {**_EARLIER, **job}
    if not _is_job(job):
        raise RunFolderError(
            f"{folder / 'manifest.json'} is damaged (job is {job!r}): restore it from a copy"
        )
    return job


def _is_job(job: Any) -> TypeGuard[Mapping[str, Any]]:
    try:
        if job["method"] not in METHODS:
            return False
        for kind in (JobOptions, DistillationOptions, find_method(job["method"]).options):
            for name, option in declared(kind).items():
                if kind is not DistillationOptions or name in TRAINING:
                    option.checked(job[name])
    except (DiswotError, KeyError, TypeError):
        return False
    return True
