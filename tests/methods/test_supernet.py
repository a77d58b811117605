"""Supernets that are trained without labels, and runs that extract students from them."""

import json
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

import diswot
from diswot.errors import DataError, DiswotError, NetworkError, OptionError, SpaceError
from diswot.methods import Workshop, find_method
from diswot.methods.supernet import (
    HeldOutLoss,
    Sliced,
    SupernetMethod,
    objective_of,
    start_from,
    train_supernets,
)
from diswot.methods.supernet._run import sub_spaces
from diswot.progress import silent
from diswot.search import Budget, measure_costs, search
from diswot.tasks import Batch, find_task
from diswot.tasks.text import TextData, load_texts
from diswot.teachers import Teacher
from diswot.testing import check_method
from search_spaces import CifarResNet, TextEncoderSpace, UnionSpace, covering
from tests.conftest import CommandLine
from tests.forked import run_programs
from tests.tasks.text.conftest import PAIRS

ROOT = Path(__file__).parents[2]
SPACE = TextEncoderSpace(layers=(1, 2), hidden=(8, 12), heads=(1, 2), ratios=(1,), head_size=4)
OPTIONS: dict[str, Any] = {
    "supernets": 2,
    "supernet_epochs": 1,
    "supernet_rate": 1e-3,
    "supernet_loss": "relations",
    "random_students": 1,
}


@pytest.fixture
def data(tmp_path: Path) -> TextData:
    (tmp_path / "data").mkdir()
    return load_texts(PAIRS, root=tmp_path / "data", length=8)


def teacher_for(data: TextData) -> torch.nn.Module:
    torch.manual_seed(1)
    return SPACE.network(covering(list(SPACE)), data.signature)


def workshop_for(data: TextData, root: Path, **other: Any) -> Workshop:
    network = teacher_for(data)
    source = Teacher("tiny", lambda: network, lambda: network)
    return Workshop(
        lambda: other.get("teacher", source),
        other.get("space", SPACE),
        data,
        root / "data",
        "cpu",
        0,
        OPTIONS | other.get("options", {}),
        silent,
    )


@pytest.mark.slow
def test_a_supernet_follows_the_contract_of_methods(data: TextData) -> None:
    archs = list(SPACE)

    def make() -> SupernetMethod:
        torch.manual_seed(0)
        network = SPACE.network(covering(archs), data.signature)
        return SupernetMethod(
            network, teacher_for(data), archs=archs, space=SPACE, signature=data.signature
        )

    check_method(make, data.without_labels((make().held_out,)))


class CountedTexts(TextData):
    """A text dataset that counts how often labels are read."""

    reads = 0

    def batch(self, *args: Any, **kwargs: Any) -> Batch:
        """Return a batch with labels, and count the call."""
        CountedTexts.reads += 1
        return super().batch(*args, **kwargs)


def test_supernets_read_no_labels(data: TextData, tmp_path: Path) -> None:
    counted = CountedTexts(**vars(replace(data)))
    made = train_supernets(workshop_for(counted, tmp_path))
    assert CountedTexts.reads == 0
    other = replace(data.train, labels=data.train.labels.flip(0))
    flipped = train_supernets(workshop_for(replace(data, train=other), tmp_path))
    weights = [made.supernets[0].network.state_dict(), flipped.supernets[0].network.state_dict()]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


class CountedLabels(torch.Tensor):
    """A label tensor that counts how often it is indexed."""

    reads = 0

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count indexing."""
        CountedLabels.reads += func is torch.Tensor.__getitem__
        call = super().__torch_function__
        return call(func, types, args, kwargs or {})  # type: ignore[no-untyped-call]


def test_the_search_reads_no_labels(data: TextData, tmp_path: Path) -> None:
    train, val, test = (
        replace(split, labels=split.labels.as_subclass(CountedLabels))
        for split in (data.train, data.val, data.test)
    )
    counted, method = replace(data, train=train, val=val, test=test), find_method("supernet")
    workshop = workshop_for(counted, tmp_path)
    costs = [
        measure_costs(partial(SPACE.network, arch, data.signature), data.signature)
        for arch in SPACE
    ]
    limit = sorted(item.params for item in costs)[4]
    CountedLabels.reads = 0
    teacher = workshop.teacher()
    found = search(
        teacher,
        SPACE,
        data=method.searched(counted, {}),
        source=method.source(workshop),
        scorer="attention_relations",
        engine="exhaustive",
        repeats=1,
        batch_size=2,
        teacher_state="trained",
        budget=Budget(params=limit),
        progress=False,
    )
    assert CountedLabels.reads == 0
    assert len(found.candidates) == sum(item.params <= limit for item in costs) < SPACE.size
    assert found.best.score == max(candidate.score or -1 for candidate in found.candidates)
    counted.batch("val", torch.arange(2))
    assert CountedLabels.reads == 1


@pytest.mark.parametrize("loss", ["relations-raw", "masked-lm"])
def test_supernets_can_be_trained_with_every_loss(
    loss: str, data: TextData, tmp_path: Path
) -> None:
    made = train_supernets(workshop_for(data, tmp_path, options={"supernet_loss": loss}))
    student = made.student(next(iter(SPACE)))
    assert student(*data.inputs("val", torch.arange(2))).isfinite().all()


def test_the_held_out_loss_has_a_confidence_interval(data: TextData) -> None:
    network = SPACE.network(covering(list(SPACE)), data.signature)
    students = [SPACE.network(arch, data.signature) for arch in list(SPACE)[:2]]
    for name in ("relations", "masked-lm"):
        objective = objective_of(name, teacher_for(data).eval())
        metric = HeldOutLoss(objective, students)
        found = metric.measure(network, objective.data(data, (metric,)), "test")
        assert found.low < found.value < found.high
        assert not found.higher_is_better
        assert found.n == data.size("test")
        assert found.name in ("relation loss", "masked-LM loss")


def test_supernets_can_be_trained_on_plain_text(data: TextData, tmp_path: Path) -> None:
    place = tmp_path / "corpus.txt"
    place.write_text("\n".join(text for text, _ in PAIRS))
    with pytest.raises(DataError, match="there is no text at"):
        find_method("supernet").check(find_task("text"), {"supernet_texts": tmp_path / "none.txt"})
    first = train_supernets(workshop_for(data, tmp_path))
    other = train_supernets(workshop_for(data, tmp_path, options={"supernet_texts": place}))
    assert first.digest != other.digest
    place.write_text("x")
    with pytest.raises(DataError, match="shorter than one sequence"):
        train_supernets(workshop_for(data, tmp_path, options={"supernet_texts": place}))


def test_trained_supernets_are_reused(data: TextData, tmp_path: Path) -> None:
    first = train_supernets(workshop_for(data, tmp_path))
    kept = sorted((tmp_path / "data" / "supernets").glob("*.safetensors"))
    assert len(kept) == 2
    before = [path.stat().st_mtime_ns for path in kept]
    again = train_supernets(workshop_for(data, tmp_path))
    assert first.digest == again.digest
    assert [path.stat().st_mtime_ns for path in kept] == before


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from diswot.methods.supernet import train_supernets
from diswot.tasks.text import load_texts
from tests.methods.test_supernet import workshop_for
from tests.tasks.text.conftest import PAIRS

root = Path(sys.argv[1])

def kill(_step):
    if any(root.glob("data/supernets/*.unfinished/checkpoint.pt")):
        os.kill(os.getpid(), signal.SIGKILL)

data = load_texts(PAIRS, root=root / "data", length=8)
workshop = workshop_for(data, root, options={"supernet_epochs": 3})
train_supernets(replace(workshop, progress=kill))
"""


@pytest.mark.processes
@pytest.mark.slow
def test_a_killed_supernet_resumes_to_the_same_weights(data: TextData, tmp_path: Path) -> None:
    three_epochs = {"supernet_epochs": 3}
    (ended,) = run_programs([("-c", KILLED, tmp_path)], imports="torch", folder=ROOT)
    assert ended.status == -signal.SIGKILL, ended.err
    assert len(list((tmp_path / "data" / "supernets").glob("*.unfinished/checkpoint.pt"))) == 1
    resumed = train_supernets(workshop_for(data, tmp_path, options=three_epochs))
    whole = train_supernets(workshop_for(data, tmp_path / "whole", options=three_epochs))
    assert resumed.digest == whole.digest


def test_students_of_every_supernet_can_be_extracted(data: TextData, tmp_path: Path) -> None:
    source = train_supernets(workshop_for(data, tmp_path))
    assert isinstance(source, Sliced)
    for arch in SPACE:
        assert source.student(arch)(*data.inputs("val", torch.arange(2))).shape == (2, 2)


def test_a_supernet_starts_with_the_weights_of_its_teacher(data: TextData) -> None:
    teacher = teacher_for(data)
    torch.manual_seed(7)
    network = SPACE.network(covering(list(SPACE)), data.signature)
    start_from(network, teacher)
    state, expected = network.state_dict(), teacher.state_dict()
    differ = [name for name in state if not torch.equal(state[name], expected[name])]
    assert set(differ) == {"classifier.weight", "classifier.bias"}


def test_a_union_space_has_one_supernet_per_sub_space(data: TextData) -> None:
    small = TextEncoderSpace(layers=(1,), hidden=(8,), heads=(1,), ratios=(1, 2), head_size=4)
    union = UnionSpace({"small": small, "large": SPACE})
    parts = sub_spaces(union, None, data.signature)
    assert [len(part) for part in parts] == [2, 8]
    within = TextEncoderSpace(layers=(1,), hidden=(8,), heads=(1,), ratios=(1,), head_size=4)
    joined = UnionSpace({"within": within, "large": SPACE})
    assert len(sub_spaces(joined, 1, data.signature)[0]) == 8  # one architecture is in both spaces
    wide = TextEncoderSpace(layers=(1,), hidden=(16,), heads=(1,), ratios=(1,), head_size=4)
    apart = UnionSpace({"wide": wide, "deep": SPACE})
    with pytest.raises(SpaceError, match="supernets: Expected an architecture of wide, deep"):
        sub_spaces(apart, 1, data.signature)


def test_a_partition_with_an_empty_part_is_refused(data: TextData) -> None:
    with pytest.raises(SpaceError, match="1 to 8 parts of 8 architectures"):
        sub_spaces(SPACE, 9, data.signature)


def test_a_teacher_without_attention_is_refused(data: TextData, tmp_path: Path) -> None:
    network = CifarResNet((1, 1, 1), num_classes=2)
    teacher = Teacher("a ResNet", lambda: network, lambda: network)
    with pytest.raises(NetworkError, match="a ResNet exposes no self-attention"):
        train_supernets(workshop_for(data, tmp_path, teacher=teacher))


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("images", {}, "use --task text"),
        ("text", {"scorer": "grasp"}, "the scorer grasp reads them"),
    ],
)
def test_invalid_options_are_refused_first(
    task: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        find_method("supernet").check(find_task(task), options)


@pytest.mark.parametrize(
    ("content", "options", "kind", "message"),
    [
        (b"x", {}, DataError, "shorter than one sequence"),
        (b"fine\nbad \xff", {}, DataError, "line 2: this is not text in UTF-8"),
        (None, {"supernets": 9}, SpaceError, "1 to 8 parts of 8 architectures"),
    ],
)
def test_faults_in_data_and_space_come_before_training(
    content: bytes | None,
    options: dict[str, Any],
    kind: type[Exception],
    message: str,
    data: TextData,
    tmp_path: Path,
) -> None:
    if content is not None:
        options = {"supernet_texts": tmp_path / "corpus.txt"}
        (tmp_path / "corpus.txt").write_bytes(content)
    needed: list[None] = []

    def teacher() -> Teacher:
        needed.append(None)
        raise AssertionError("the teacher is trained")

    workshop = replace(workshop_for(data, tmp_path, options=options), teacher=teacher)
    with pytest.raises(kind, match=message):
        train_supernets(workshop)
    assert not needed


@pytest.mark.parametrize("method", ["supernet", "distillation"])
def test_a_too_large_batch_is_refused_before_training(method: str, tmp_path: Path) -> None:
    rows = "".join(f"{text},{label}\n" for text, label in PAIRS)
    (tmp_path / "texts.csv").write_text(f"text,label\n{rows}")
    texts: dict[str, Any] = {"length": 8, "vocabulary": 300}
    stages: list[str] = []
    with pytest.raises(OptionError, match=r"Expected a batch of at most the \d+ (val|train)"):
        diswot.run(
            task="text",
            data=str(tmp_path / "texts.csv"),
            method=method,
            batch_size=1_000,
            **texts,
            out=tmp_path / "run",
            data_root=tmp_path,
            progress=lambda step: stages.append(step.stage),
        )
    assert "teacher" not in stages


def test_an_unknown_method_suggests_the_closest_match() -> None:
    with pytest.raises(DiswotError, match="did you mean 'supernet'"):
        find_method("supernets")


@pytest.mark.processes
@pytest.mark.slow
def test_run_goes_from_texts_to_a_student_of_a_supernet(cli: CommandLine, tmp_path: Path) -> None:
    rows = "".join(f"{text},{label}\n" for text, label in PAIRS)
    (tmp_path / "texts.csv").write_text(f"text,label\n{rows}")
    small = ["--data", "texts.csv", "--length", 8, "--vocabulary", 300, "--engine", "random"]
    short = ["--population", 2, "--generations", 0, "--repeats", 1, "--batch-size", 2]
    training = ["--epochs", 1, "--teacher-epochs", 1, "--force", "--no-onnx", "--no-compare"]
    method = ["--method", "supernet", "--supernets", 2, "--supernet-epochs", 1]
    options = ["--task", "text", *small, *short, *training, *method, "--out", "run"]
    done = cli("run", *options)
    assert done.code == 0, done.err
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["settings"]["scorer"] == "attention_relations"
    assert manifest["job"]["method"] == "supernet"
    assert manifest["students"]["sha256"]
    assert (tmp_path / "run" / "student" / "weights.safetensors").exists()
    refused = cli("distill", "run", "--epochs", 1, "--force")
    assert (refused.code, len(refused.err.splitlines())) == (2, 1)
    assert "supernet" in refused.err
    (tmp_path / "run" / "result.json").unlink()
    again = cli("resume", "run")
    assert again.code == 0, again.err
