"""Teachers, data and a recipe, which students are trained by."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from diswot.devices import is_first
from diswot.errors import RunFolderError
from diswot.losses import Objective, parse_objective
from diswot.progress import Progress, message, silent
from diswot.runs import working_in
from diswot.students import Origin, origin_of, set_origin
from diswot.tasks import Dataset
from diswot.teachers import load_checkpoint
from diswot.training._checkpoint import CHECKPOINT
from diswot.training._checkpoint import load_checkpoint as load_state
from diswot.training._distillation_method import settings_of
from diswot.training._fingerprint import conditions, fingerprint
from diswot.training._recipe import Recipe
from diswot.training._saved import load_training, save_report, saved_students
from diswot.training._teacher import TrainedTeacher
from diswot.training._trained import Training
from diswot.training._training import train


@dataclass(frozen=True)
class Distillation:
    """Teachers, data and a recipe, for any number of students.

    Attributes:
        data: what students are trained, selected and evaluated on.
        teachers: by the names that the task has for them, the first one first; none to train
            alone.
        recipe: how to train.
        device: where to compute.
        tensorboard: whether to write TensorBoard events.
    """

    data: Dataset
    teachers: Mapping[str, TrainedTeacher]
    recipe: Recipe
    device: str
    tensorboard: bool = False

    @property
    def teacher(self) -> TrainedTeacher | None:
        """The first teacher, which losses of one teacher read; `None` without any."""
        return next(iter(self.teachers.values()), None)

    def train(
        self,
        student: nn.Module,
        *,
        loss: str,
        folder: Path | None = None,
        progress: Progress = silent,
        stage: str | None = None,
    ) -> Training:
        """Train `student` in place; it ends with the weights of its best epoch.

        A training of the same that was stopped in `folder` is resumed.

        Raises:
            RunFolderError: another process is at work in the folder.
        """
        with nullcontext() if folder is None else working_in(folder):
            return self._train(student, loss=loss, folder=folder, progress=progress, stage=stage)

    def _train(
        self,
        student: nn.Module,
        *,
        loss: str,
        folder: Path | None,
        progress: Progress,
        stage: str | None,
    ) -> Training:
        training = train(
            student,
            self.data,
            objective=parse_objective(loss),
            recipe=self.recipe,
            teachers=self._networks,
            folder=folder,
            device=self.device,
            progress=progress,
            stage=stage,
            tensorboard=self.tensorboard,
        )
        origin = self._set_origin(student, training)
        if folder is not None and is_first():
            save_report(
                folder,
                origin.architecture or type(student).__name__,
                training,
                signature=self.data.signature,
                metrics=origin.metrics,
            )
            (folder / CHECKPOINT).unlink()  # what ended has its report
        return training

    def train_once(
        self,
        student: nn.Module,
        *,
        loss: str,
        folder: Path | None = None,
        progress: Progress = silent,
        stage: str | None = None,
        replace_unfinished: bool = False,
    ) -> Training:
        """Train `student` in place, unless that was done in `folder`: then load what came of it.

        Args:
            student: ends with the weights of its best epoch.
            loss: see [`distill`][diswot.training.distill].
            folder: where the training is kept.
            progress: receives every step.
            stage: what the training is called there; by default as its loss.
            replace_unfinished: whether an unfinished training of something else in the folder is
                removed; otherwise it is an error.
        """
        with nullcontext() if folder is None else working_in(folder):
            if folder is not None:
                known = self.trained_before(student, folder, loss=loss)
                if known is not None:
                    return known
                if replace_unfinished and self.drop_another(student, folder, loss=loss):
                    note = f"the training in {folder} was of another student, and starts again"
                    progress(message(stage or loss, note))
            return self._train(student, loss=loss, folder=folder, progress=progress, stage=stage)

    def trained_before(self, student: nn.Module, folder: Path, *, loss: str) -> Training | None:
        """Load the weights that a training in `folder` ended with, and what came of it.

        `None`, and `student` unchanged, where none of its architecture ended with this
        loss and recipe on these data.
        """
        found, origin = next(iter(saved_students(folder)), None), origin_of(student)
        if found is None or origin is None:
            return None
        if (found.architecture, found.loss) != (origin.architecture, loss):
            return None
        recipe = {"recipe": json.loads(json.dumps(asdict(self.recipe)))}
        if found.signature != self.data.signature or not recipe.items() <= found.metrics.items():
            return None
        load_checkpoint(student, found.weights)
        training = load_training(folder)
        self._set_origin(student.to(self.device), training)
        return training

    def drop_another(self, student: nn.Module, folder: Path, *, loss: str) -> bool:
        """Remove an unfinished training from `folder` if it is not this one; return whether it was.

        A damaged one counts as another.
        """
        if not (folder / CHECKPOINT).exists():
            return False
        settings = self._settings(parse_objective(loss))
        of = fingerprint(student, settings, self.data, self.recipe, views=self._views(loss))
        try:
            load_state(folder, of=of)
        except RunFolderError:
            (folder / CHECKPOINT).unlink()
            return True
        return False

    def conditions(self, loss: str) -> dict[str, Any]:
        """Return what trainings with this loss have in common, as plain values."""
        settings = self._settings(parse_objective(loss))
        return conditions(settings, self.data, self.recipe, views=self._views(loss))

    def _settings(self, objective: Objective) -> dict[str, Any]:
        return settings_of(objective, self._networks)

    def _views(self, loss: str) -> Mapping[str, str]:
        """Return the views of teachers that a training with a loss gives them."""
        teachers = self._networks if parse_objective(loss).needs_teacher else {}
        return self.data.training(self.recipe, teachers=teachers).views

    @property
    def _networks(self) -> dict[str, nn.Module]:
        return {name: teacher.network for name, teacher in self.teachers.items()}

    def _set_origin(self, student: nn.Module, training: Training) -> Origin:
        known = origin_of(student) or Origin(self.data.signature)
        metrics: dict[str, Any] = {
            "loss": training.objective,
            "data": self.data.name,
            "classes": getattr(self.data, "classes", None),
            "seed": self.recipe.seed,
            "epochs": self.recipe.epochs,
            "recipe": asdict(self.recipe),
            "test": training.test.to_json(),
        }
        if self.teacher is not None:
            named = dict.fromkeys(each.source.name for each in self.teachers.values())
            metrics["teacher"] = " and ".join(named)
            metrics["teacher_test"] = self.teacher.test.to_json()
        origin = replace(known, signature=self.data.signature, metrics=metrics)
        set_origin(student, origin)
        return origin
