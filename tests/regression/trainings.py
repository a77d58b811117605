"""Trainings of students and teachers, also interrupted ones, and the main job."""

import hashlib
import importlib.util
import pickle
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import diswot
from diswot.progress import Step
from diswot.tasks.images import load_data
from search_spaces import NASBench201Space, ResNetDepthSpace
from tests.regression.places import Places, Record
from tests.regression.scores import CELLS
from tests.regression.searches import found_in, hugging_face_teacher

SHORT: dict[str, Any] = {"epochs": 1, "seed": 7, "force": True, "device": "cpu"}
RECIPES: dict[str, dict[str, Any]] = {
    "sgd": {"label_smoothing": 0.1, "max_grad_norm": 1.0, "gradient_accumulation": 2, "epochs": 2},
    "adamw": {
        "optimizer": "adamw",
        "schedule": "cosine",
        "warmup_epochs": 0.5,
        "ema": 0.9,
        "mixup": 0.2,
        "cutmix": 1.0,
        "augment": "strong",
    },
}
TERMS = (
    "ab",
    "at",
    "cc",
    "ce",
    "crd",
    "dist",
    "dkd",
    "fitnet",
    "fsp",
    "ft",
    "ickd",
    "kd",
    "kd_std",
    "kdsvd",
    "nst",
    "pkt",
    "relation",
    "reviewkd",
    "rkd",
    "semantic",
    "sp",
    "vid",
)
"""Built-in terms of losses; other tests register more."""

SPLIT_TERMS = 11
"""How many losses one training has: with all of them in one, a change of one is hard to find."""


class StoppedError(Exception):
    """Raised by a case that stops a training."""


def training_cases() -> dict[str, Callable[[Places], Record]]:
    """Return the cases by name."""
    halves = {"first": TERMS[:SPLIT_TERMS], "second": TERMS[SPLIT_TERMS:]}
    return {
        "train/diswot": _distilled,
        "train/diswot-dagger": partial(_distilled, loss="diswot-dagger"),
        "train/alone": partial(_distilled, loss="alone"),
        **{f"train/recipe {name}": partial(_distilled, **RECIPES[name]) for name in RECIPES},
        **{
            f"train/{half} half of the losses": partial(_distilled, loss=" + ".join(losses))
            for half, losses in halves.items()
        },
        "train/stopped and resumed": _stopped,
        "train/teacher": _teacher,
        "train/cell on cifar100": _cell,
        "train/hf teacher on a folder": _for_hugging_face,
        "run/main job": _main_job,
    }


def small_network(depths: str, seed: int, *, channels: int = 1, classes: int = 10) -> nn.Module:
    space = ResNetDepthSpace(in_channels=channels)
    torch.manual_seed(seed)
    return space.build(space.from_string(depths), classes)


def _distilled(places: Places, *, loss: str = "diswot", **options: Any) -> Record:
    student = small_network("1-1-1", 1)
    trained = diswot.distill(student, small_network("3-3-3", 0), loss=loss, **{**SHORT, **options})
    return training(trained, student)


def _stopped(places: Places) -> Record:
    """Stop a training in its second epoch, and train the same student in the same folder."""
    teacher, options = small_network("3-3-3", 0), {**SHORT, "epochs": 3}
    folder, steps = places.scratch / "training", 0

    def stop(step: Step) -> None:
        nonlocal steps
        steps += step.total > 0
        if (folder / "checkpoint.pt").exists() and steps > 40:
            raise StoppedError

    try:
        diswot.distill(small_network("1-1-1", 1), teacher, out=folder, progress=stop, **options)
    except StoppedError:
        pass
    else:
        raise AssertionError("the training was not stopped")
    student = small_network("1-1-1", 1)
    return training(diswot.distill(student, teacher, out=folder, **options), student)


def _teacher(places: Places) -> Record:
    folder = places.scratch / "teacher"
    trained = diswot.train_teacher("resnet20", out=folder, **SHORT)
    teacher = small_network("3-3-3", 0)
    diswot.load_checkpoint(teacher, folder / "best.safetensors")
    return training(trained, teacher)


def _cell(places: Places) -> Record:
    """Train a cell on the first 1,600 images of CIFAR-100, and test it on 200."""
    root = places.scratch / "cifar-100-python"
    root.mkdir()
    for part, count in (("train", 1600), ("test", 200)):
        content = pickle.loads((places.shared / root.name / part).read_bytes(), encoding="bytes")
        few = {name: content[name][:count] for name in (b"data", b"fine_labels")}
        (root / part).write_bytes(pickle.dumps(few))
    student, teacher = _small_cell(100), small_network("1-1-1", 0, channels=3, classes=100)
    trained = diswot.distill(
        student, teacher, data="cifar100", data_root=root.parent, loss="diswot-dagger", **SHORT
    )
    return training(trained, student)


def _small_cell(classes: int) -> nn.Module:
    space = NASBench201Space(channels=4, cells=1)
    torch.manual_seed(1)
    return space.build(space.from_string(CELLS[0]), classes)


def _for_hugging_face(places: Places) -> Record:
    student = _small_cell(20)
    trained = diswot.distill(
        student,
        f"hf:{hugging_face_teacher(places.scratch / 'teacher')}",
        data=places.shared / "tiny-imagenet-20",
        data_root=places.cache,
        **SHORT,
    )
    return training(trained, student)


def _main_job(places: Places) -> Record:
    (places.scratch / "data").mkdir()
    report = diswot.run(
        "resnet20",
        "s0",
        budget=diswot.Budget(params=150_000),
        compare=False,
        out=places.scratch / "run",
        data_root=places.scratch / "data",
        population=3,
        generations=1,
        repeats=1,
        batch_size=16,
        teacher_epochs=1,
        **SHORT,
    )
    rows = {
        row.label: {
            "architecture": row.name,
            **{loss: round(found.value * found.n) for loss, found in row.measures.items()},
        }
        for row in report.rows
    }
    return {
        "search": found_in(report.folder),
        "rows": rows,
        "shipped": report.shipped,
        "trainings": {loss: history(each) for loss, each in report.trainings.items()},
        "outputs": exported_outputs(report.exported.folder),
    }


def exported_outputs(folder: Path) -> Record:
    """Return the outputs of every exported form of a student for a fixed batch."""
    import onnxruntime

    shape = load_data("digits").spec.shape
    batch = torch.randn(4, *shape, generator=torch.Generator().manual_seed(2))
    spec = importlib.util.spec_from_file_location("student", folder / "student.py")
    assert spec is not None
    assert spec.loader is not None
    source = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "student.onnx", options)
    with torch.inference_mode():
        return {
            "student.py": numbers(source.load()(batch)),
            "student.pt2": numbers(torch.export.load(folder / "student.pt2").module()(batch)),
            "student.onnx": numbers(
                torch.from_numpy(
                    session.run(None, {session.get_inputs()[0].name: batch.numpy()})[0]
                )
            ),
        }


def numbers(outputs: Tensor) -> Record:
    """Return the hash of tensors' bytes, and their mean size."""
    return digest({"outputs": outputs})


def digest(tensors: Mapping[str, Tensor]) -> Record:
    """Return a hash of the bytes of tensors, and numbers for approximate comparison."""
    content = hashlib.sha256()
    for tensor in tensors.values():
        content.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
    floats = [tensor.detach().double().abs() for tensor in tensors.values() if tensor.numel()]
    return {
        "sha256": content.hexdigest(),
        "sum of sizes": sum(float(each.sum()) for each in floats),
        "largest": max(float(each.max()) for each in floats),
    }


def history(trained: diswot.Training) -> Record:
    """Return the metrics of a training."""
    return {
        "best epoch": trained.best_epoch,
        "val": [round(trained.val.value * trained.val.n), trained.val.n],
        "test": [round(trained.test.value * trained.test.n), trained.test.n],
        "epochs": [
            {
                "learning rate": epoch.learning_rate,
                "loss": epoch.train_loss,
                "val": epoch.val,
                **{f"term {name}": value for name, value in epoch.terms.items()},
            }
            for epoch in trained.history
        ],
    }


def training(trained: diswot.Training, network: nn.Module) -> Record:
    """Return the result of a training, with weights and running statistics."""
    return {"weights": digest(network.state_dict()), **history(trained)}
