"""An installed package can add every kind of component, found by its name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forked import run_programs

pytestmark = pytest.mark.processes

CODE = """
from typing import Annotated, TypedDict

import torch
from torch import nn

import diswot.losses
import diswot.scorers
from diswot.methods import RunMethod
from diswot.options import Option
from diswot.search.engines import Engine
from diswot.search.engines.random_search import RandomSearch
from diswot.tasks import Batch, Task, Top1
from diswot.teachers import Library, Teacher
from search_spaces import Choice, ChoiceSpace, Signature, TensorSpec


class Layers(ChoiceSpace):
    \"\"\"One convolution of a width.\"\"\"

    width = Choice(2, 4, 8, 16)

    def build(self, arch, num_classes):
        features = nn.Sequential(nn.Conv2d(1, arch.width, 3, padding=1), nn.ReLU())
        pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return nn.Sequential(features, pooled, nn.Linear(arch.width, num_classes))


@diswot.scorers.register(diswot.scorers.Card("ones", "one everywhere", "a package"))
def ones(student, teacher):
    return 1.0


HALF = diswot.losses.Card("half", "half the entropy", "a package", needs_teacher=False)


@diswot.losses.register(HALF)
def half(student, teacher, batch):
    return nn.functional.cross_entropy(student.output, batch.targets) / 2


class First(RandomSearch):
    pass


def blobs(root):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (120, 1, 8, 8), generator=generator, dtype=torch.uint8)
    return torch.utils.data.TensorDataset(images, torch.arange(120) % 3)


def phrases(root):
    return [(f"{word} number {i}", word) for word in ("red", "blue") for i in range(20)]


def corners(root):
    return root / "corners"


def broken(root):
    raise RuntimeError("no phrases today")


class Tones:
    name, notes, source, digest, metrics = "tones", (), None, "0", (Top1(),)
    signature = Signature((TensorSpec("tone", (1, 8, 8)),), 2, {})

    @property
    def task(self):
        from diswot.tasks import find_task
        return find_task("tones")

    def size(self, split):
        return 40

    def batch(self, split, indices, *, device="cpu"):
        labels = indices % 2
        tones = labels[:, None, None, None].float().expand(-1, 1, 8, 8)
        return Batch((tones,), labels, labels, indices)

    def training(self, changes, *, device="cpu", teachers=None):
        raise NotImplementedError

    def summary(self):
        return "tones: two of them"


class ToneTask(Task):
    name, summary, reads = "tones", "two tones", frozenset({"logits", "labels"})
    data, teacher, space, losses = "tones", "offering:teacher", "layers", ("alone", "kd")

    def check(self, data, **options):
        pass

    def load(self, data, *, root=None, progress=None, **options):
        return Tones()


def teacher():
    return Layers().build(Layers().from_string("width=16"), 2)


def check(place):
    if place != "small":
        raise ValueError(f"there is no {place}: give own:small")


def of_own(place):
    def network():
        return Layers().build(Layers().from_string("width=16"), 3)
    return Teacher(f"own:{place}", network, network)


OWN = Library("NAME", "networks of a package", check, of_own)


class QuickOptions(TypedDict, total=False):
    quick_steps: Annotated[int, Option("Steps of it.", default=3, least=1, most=9)]


class Quick(RunMethod):
    name, summary, options = "quick", "a method of a package", QuickOptions

    def source(self, workshop):
        print("steps of the method:", workshop.options["quick_steps"])
        return super().source(workshop)
"""

ENTRIES = """
[diswot.scorers]
offering = offering
[diswot.losses]
offering = offering
[diswot.spaces]
layers = offering:Layers
[diswot.engines]
first = offering:First
[diswot.datasets.images]
blobs = offering:blobs
[diswot.datasets.landmarks]
corners = offering:corners
[diswot.datasets.text]
phrases = offering:phrases
broken = offering:broken
[diswot.teachers.images]
own = offering:OWN
[diswot.methods]
quick = offering:Quick
[diswot.tasks]
tones = offering:ToneTask
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a folder with a package that looks installed by pip."""
    folder = tmp_path / "site"
    about = folder / "offering-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "offering.py").write_text(CODE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: offering\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRIES)
    return folder


def run_diswot(package: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "diswot", *arguments],
        cwd=package.parent,
        env=os.environ | {"PYTHONPATH": str(package), "DISWOT_DATA": str(package.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_search_uses_its_space_engine_dataset_and_scorer(package: Path) -> None:
    least = ("--population", "2", "--generations", "0", "--repeats", "1", "--batch-size", "4")
    added = ("--space", "layers", "--engine", "first", "--data", "blobs")
    done = run_diswot(package, "search", *added, *least, "--scorer", "ones+params", "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "ones+params" in done.stdout
    loss = ("--loss", "ce + half", "--epochs", "1", "--out", "trained")
    done = run_diswot(package, "distill", "run", *loss)
    assert done.returncode == 0, done.stderr
    assert "ce + half" in done.stdout


@pytest.mark.slow
def test_a_run_uses_its_teacher_method_and_option(package: Path) -> None:
    small = ("--population", "2", "--generations", "0", "--repeats", "1", "--batch-size", "4")
    short = ("--epochs", "1", "--no-compare", "--no-onnx", "--force", "--out", "job")
    quick = ("run", "--method", "quick")
    added = ("--teacher", "own:small", "--space", "layers", "--data", "blobs", "--scorer", "ones")
    programs = [
        (*quick, "--help"),
        (*quick, "--quick-steps", "10"),
        (*quick, "--teacher", "own:large", "--data", "blobs"),
        (*quick, "--quick-steps", "4", *added, *small, *short),
    ]
    page, refused, unknown, done = run_programs(
        [("-m", "diswot", *each) for each in programs],
        imports="torch",
        folder=package.parent,
        at_the_start={"PYTHONPATH": str(package)},
        variables={"DISWOT_DATA": str(package.parent)},
    )
    assert b"--quick-steps" in page.out
    assert (refused.status, refused.err.count(b"\n")) == (2, 1)
    assert b"quick-steps" in refused.err
    assert b"give own:small" in unknown.err
    assert done.status == 0, done.err
    assert b"steps of the method: 4" in done.out


def test_its_task_is_scored_with_the_defaults_of_the_task(package: Path) -> None:
    done = run_diswot(
        package, "score", "width=4", "--task", "tones", "--scorer", "ones", "--batch-size", "4"
    )
    assert done.returncode == 0, done.stderr
    assert "1.0000" in done.stdout


ASKED = """
from diswot.errors import DataError
from diswot.tasks import find_task

print(find_task("text").load("phrases").summary())
for task, name in (("text", "broken"), ("landmarks", "corners")):
    try:
        find_task(task).load(name)
    except DataError as error:
        print(error)
"""


def test_its_datasets_are_found_by_name_for_any_task(package: Path) -> None:
    (package.parent / "ask.py").write_text(ASKED)
    environment = os.environ | {"PYTHONPATH": str(package), "DISWOT_DATA": str(package.parent)}
    command = [sys.executable, str(package.parent / "ask.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    texts, raised, missing = done.stdout.splitlines()
    assert texts.startswith("phrases: ")
    assert raised.startswith("dataset broken: calling it raised RuntimeError: no phrases today")
    assert missing.startswith(f"there is no {package.parent / 'corners'}")


def test_a_broken_package_gives_a_one_line_warning(package: Path) -> None:
    (package / "offering.py").write_text("1 / 0\n")
    for kind in ("tasks", "spaces"):
        done = run_diswot(package, "list", kind)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("diswot: warning: the plugin")
    done = run_diswot(package, "search", "--space", "layers")
    assert done.returncode == 2
    assert "cannot be imported (ZeroDivisionError" in done.stderr
    assert done.stderr.count("\n") == 1
