"""`diswot export`: a trained student as files that need no DisWOT."""

from pathlib import Path

import click

from diswot.cli import _options as shared
from diswot.cli._tables import print_checks, print_json
from diswot.distillation import SavedStudent, saved_students
from diswot.errors import RunFolderError
from diswot.export import export as export_student
from diswot.run_folder import check_new_folder
from diswot.search import SPACES, find_space, load_run, parse_architecture, told_again
from diswot.students import Origin, build_student, remember
from diswot.teachers import load_checkpoint


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--arch", help="The architecture; by default the run's winner.")
@click.option(
    "--loss", help="What it was trained with; by default the best on the validation split."
)
@click.option("--space", help="By default the run's, or s0.")
@click.option("--onnx/--no-onnx", default=None, help="Export ONNX; by default if it is installed.")
@click.option("--out", type=click.Path(path_type=Path), help="By default RUN/student.")
@shared.JSON
def export(
    run: Path,
    arch: str | None,
    loss: str | None,
    space: str | None,
    onnx: bool | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Write a distilled student of RUN as plain PyTorch source, weights and ONNX.

    RUN is a run folder, or a folder that `diswot distill` wrote.

    Example: diswot export runs/search-1 --out student/
    """
    target = out or run / "student"
    check_new_folder(target)
    students = saved_students(run)
    if (run / "manifest.json").exists():
        result = load_run(run)
        space = told_again("space", result.manifest["settings"]["space"], space, SPACES)
        arch = arch or result.best.name
    saved = _chosen(run, students, arch, loss)
    searched = find_space(space or "s0", in_channels=saved.images.shape[0])
    student = build_student(
        searched, parse_architecture(searched, saved.architecture), saved.images
    )
    load_checkpoint(student, saved.weights)
    remember(student, Origin(saved.images, saved.architecture, saved.metrics))
    exported = export_student(student, target, onnx=onnx)
    if as_json:
        record = {"folder": str(target), "files": exported.files, "loss": saved.loss}
        print_json(record | {"differences": dict(exported.differences)})
        return
    click.echo(
        f"Exported {saved.architecture} ({saved.loss}) to {target}: {', '.join(exported.files)}"
    )
    print_checks(exported)
    click.echo(f"Next: cd {target} && python -c 'import student; print(student.load())'")


def _chosen(
    run: Path, students: list[SavedStudent], arch: str | None, loss: str | None
) -> SavedStudent:
    """Return the student that is meant, the best on the validation split of several."""
    for student in students:
        if arch in (None, student.architecture) and loss in (None, student.loss):
            return student
    wanted = " ".join(word for word in (arch, loss) if word) or "student"
    there = ", ".join(f"{s.architecture} ({s.loss})" for s in students) or "none"
    raise RunFolderError(
        f"{run} has no trained {wanted}; it has {there}: train one with diswot distill {run}"
    )
