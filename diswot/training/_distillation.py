"""Teachers, data and a recipe, with which students are trained."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
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
from diswot.training._distillation_method import DistillationMethod, MakeMethod
from diswot.training._fingerprint import conditions, fingerprint
from diswot.training._method import Method
from diswot.training._metrics import TRAIN_READS
from diswot.training._recipe import Recipe
from diswot.training._saved_students import load_training, save_report, saved_students
from diswot.training._teacher import TrainedTeacher
from diswot.training._trainer import Stop
from diswot.training._training import train_by
from diswot.training._training_result import Training


@dataclass(frozen=True)
class Distillation:
    """Teachers, data and a recipe, for any number of students.

    Attributes:
        data: the dataset for training, selection and evaluation.
        teachers: teachers by their names in the task, in its order; empty to train without.
        recipe: optimizer, schedule, augmentation, …
        device: torch device.
        make: makes the training method of a student and a loss.
    """

    data: Dataset
    teachers: Mapping[str, TrainedTeacher]
    recipe: Recipe
    device: str
    make: MakeMethod = DistillationMethod

    @property
    def teacher(self) -> TrainedTeacher | None:
        """The first teacher, which losses for a single teacher use; `None` without teachers."""
        return next(iter(self.teachers.values()), None)

    def train(
        self,
        student: nn.Module,
        *,
        loss: str,
        folder: Path | None = None,
        progress: Progress = silent,
        stage: str | None = None,
        stop: Stop | None = None,
    ) -> Training:
        """Train `student` in place; it ends with the weights of its best epoch.

        Args:
            student: the network to train.
            loss: an expression or preset, see [`distill`][diswot.training.distill].
            folder: where checkpoints and weights are written; a stopped training with the same
                settings in it is resumed.
            progress: receives every step.
            stage: name of the training in progress reports; by default its loss.
            stop: asked after every epoch whether to end early; by default never.

        Raises:
            RunFolderError: another process uses the folder, or it has another training.
            RunError: the loss is not finite.
        """
        with nullcontext() if folder is None else working_in(folder):
            return self._train(
                student, loss=loss, folder=folder, progress=progress, stage=stage, stop=stop
            )

    def _train(
        self,
        student: nn.Module,
        *,
        loss: str,
        folder: Path | None,
        progress: Progress,
        stage: str | None,
        stop: Stop | None = None,
    ) -> Training:
        objective = parse_objective(loss)
        objective.check_reads(self.data.task.reads, task=self.data.task.name)
        training = train_by(
            self._method(student, objective),
            self.data,
            recipe=self.recipe,
            folder=folder,
            device=self.device,
            progress=progress,
            stage=stage,
            stop=stop,
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
            (folder / CHECKPOINT).unlink()  # a finished training is described by its report
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
        """Train `student` in place, or load the result if `folder` has the finished training.

        Args:
            student: the network to train; it ends with the weights of its best epoch.
            loss: an expression or preset, see [`distill`][diswot.training.distill].
            folder: folder of the training; `None` keeps nothing.
            progress: receives every step.
            stage: name of the training in progress reports; by default its loss.
            replace_unfinished: whether an unfinished training with other settings in the folder
                is removed; otherwise it raises an error.

        Raises:
            RunFolderError: another process uses the folder, or it has another training.
            RunError: the loss is not finite.
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
        """Load weights and result of a finished training in `folder`.

        Args:
            student: receives the weights; it must carry its origin (its architecture).
            folder: folder of the training.
            loss: an expression or preset.

        Returns:
            The result; `None`, with `student` unchanged, if the folder has no finished training
            of this architecture with this loss, recipe and data.
        """
        result, origin = next(iter(saved_students(folder)), None), origin_of(student)
        if result is None or origin is None:
            return None
        if (result.architecture, result.loss) != (origin.architecture, loss):
            return None
        recipe = {"recipe": json.loads(json.dumps(self.recipe.to_json()))}
        if result.signature != self.data.signature or not recipe.items() <= result.metrics.items():
            return None
        load_checkpoint(student, result.weights)
        training = load_training(folder)
        self._set_origin(student.to(self.device), training)
        return training

    def drop_another(self, student: nn.Module, folder: Path, *, loss: str) -> bool:
        """Remove the checkpoint of an unfinished training if it is damaged or of another training.

        Args:
            student: the network to train.
            folder: folder of the training.
            loss: an expression or preset.

        Returns:
            Whether a checkpoint was removed.
        """
        if not (folder / CHECKPOINT).exists():
            return False
        method = self._method(student, parse_objective(loss))
        views = method.batches(self.data, self.recipe).views
        of = fingerprint(student, method.settings, self.data, self.recipe, views=views)
        try:
            load_state(folder, of=of)
        except RunFolderError:
            (folder / CHECKPOINT).unlink()
            return True
        return False

    def conditions(self, loss: str) -> dict[str, Any]:
        """Return the fingerprint of trainings with this loss, apart from the student, as JSON."""
        method = self._method(nn.Identity(), parse_objective(loss))
        views = method.batches(self.data, self.recipe).views
        return conditions(method.settings, self.data, self.recipe, views=views)

    def _method(self, student: nn.Module, objective: Objective) -> Method:
        networks = {name: teacher.network for name, teacher in self.teachers.items()}
        return self.make(student, objective, teachers=networks, seed=self.recipe.seed)

    def _set_origin(self, student: nn.Module, training: Training) -> Origin:
        known = origin_of(student) or Origin(self.data.signature)
        metrics: dict[str, Any] = {
            "loss": training.objective,
            "data": self.data.name,
            "classes": getattr(self.data, "classes", None),
            "seed": self.recipe.seed,
            "epochs": self.recipe.epochs,
            "recipe": self.recipe.to_json(),
            "test": training.test.to_json(),
        }
        if training.classes is not None:
            metrics["test_classes"] = training.classes.to_json()
        if training.train_reads is not None:
            metrics[TRAIN_READS] = training.train_reads
        if known.classifier is not None:
            metrics["shared_classifier"] = known.classifier.to_json()
        if self.teacher is not None:
            named = dict.fromkeys(teacher.source.name for teacher in self.teachers.values())
            metrics["teacher"] = " and ".join(named)
            metrics["teacher_test"] = self.teacher.test.to_json()
        origin = replace(known, signature=self.data.signature, metrics=metrics)
        set_origin(student, origin)
        return origin
