"""`diswot distill`: train a student towards a teacher."""

from pathlib import Path
from typing import Any

import click

from diswot.cli import _options as shared
from diswot.cli._progress import shown_progress
from diswot.cli._runs import DEFAULTS, RunSettings, completed, open_run
from diswot.cli._tables import print_json, print_table
from diswot.data import load_data
from diswot.distillation import (
    Distillation,
    Training,
    folder_name,
    is_unfinished,
    parse_objective,
    prepare_distillation,
)
from diswot.errors import OptionError
from diswot.run_folder import check_new_folder, next_folder
from diswot.search import check_architecture, find_space, parse_architecture
from diswot.seeding import seed_for, torch_seed
from diswot.students import build_student


@click.command()
@click.argument("run", required=False, type=click.Path(path_type=Path), metavar="[RUN]")
@click.option("--arch", help="The architecture; by default the run's winner.")
@click.option(
    "--loss",
    default="diswot",
    show_default=True,
    help="A name of `diswot list losses`, or an expression such as 'ce + 0.9*kd(T=4) + 100*at'.",
)
@click.option("--teacher", help="By default the run's, or resnet56.")
@shared.TEACHER_WEIGHTS
@click.option("--space", help="By default the run's, or s0.")
@click.option("--data", help="By default the run's, or digits.")
@shared.IMAGE_SIZE
@shared.DATA_ROOT
@shared.training_options
@click.option("--seed", type=click.IntRange(min=0), help="By default the run's, or 0.")
@shared.DEVICE
@click.option("--out", type=click.Path(path_type=Path), help="By default RUN/distill/LOSS.")
@shared.JSON
def distill(
    run: Path | None,
    arch: str | None,
    loss: str,
    teacher: str | None,
    space: str | None,
    data: str | None,
    image_size: int | None,
    out: Path | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Distil a run's winner, or any architecture named with --arch.

    A training that was stopped goes on where the same command is given again. Several
    GPUs: torchrun --nproc-per-node 2 -m diswot distill …

    Example: diswot distill runs/search-1 --loss diswot-dagger --epochs 240
    """
    objective = parse_objective(loss)
    settings = RunSettings(teacher, chosen.pop("teacher_weights"), space, data, chosen.pop("seed"))
    winner = None
    if run is not None:
        result, settings = open_run(run, settings)
        winner = result.best.name
    name = arch or winner
    if name is None:
        raise OptionError("Expected a run folder or --arch, but got neither: name what to distil")
    settings = completed(settings, DEFAULTS)
    folder = out or _folder(run, loss, None if name == winner else name)
    if not is_unfinished(folder):
        check_new_folder(folder)
    with shown_progress() as progress:
        images = load_data(
            settings.data, root=chosen["data_root"], image_size=image_size, progress=progress
        )
        searched = find_space(settings.space or "", in_channels=images.shape[0])
        architecture = parse_architecture(searched, name)
        check_architecture(searched, architecture, images.spec)
        with torch_seed(seed_for(settings.seed, "student", searched.canonical_key(architecture))):
            student = build_student(searched, architecture, images.spec)
        distillation = prepare_distillation(
            settings.teacher if objective.needs_teacher else None,
            data=images,
            teacher_weights=settings.teacher_weights,
            seed=settings.seed or 0,
            progress=progress,
            **chosen,
        )
        training = distillation.train(student, loss=loss, folder=folder, progress=progress)
    if as_json:
        print_json(_record(name, training, distillation, folder))
    else:
        _print(name, training, distillation)
        click.echo(f"Next: diswot export {folder if run is None else run}")


def _folder(run: Path | None, loss: str, arch: str | None) -> Path:
    if run is None:
        return next_folder(Path("runs"), f"distill-{folder_name(loss)}")
    return run / "distill" / folder_name(loss, *([] if arch is None else [arch]))


def _record(
    name: str, training: Training, distillation: Distillation, folder: Path
) -> dict[str, object]:
    teacher = distillation.teacher
    return {
        "folder": str(folder),
        "architecture": name,
        "loss": training.objective,
        "best_epoch": training.best_epoch,
        "test_accuracy": training.test.rate,
        "test_accuracy_95": training.test.interval,
        "teacher_test_accuracy": teacher.accuracy.rate if teacher else None,
    }


def _print(name: str, training: Training, distillation: Distillation) -> None:
    teacher = distillation.teacher
    print_table(
        "Test accuracy in %, with 95 % interval",
        ["network", "loss", "best epoch", "accuracy"],
        [
            *(
                [[f"teacher {teacher.source.name}", "–", "–", str(teacher.accuracy)]]
                if teacher
                else []
            ),
            [name, training.objective, str(training.best_epoch), str(training.test)],
        ],
        caption=f"{training.test.total:,} test images, on which nothing was chosen; "
        f"seed {distillation.recipe.seed}, {distillation.recipe.epochs} epochs.",
    )
