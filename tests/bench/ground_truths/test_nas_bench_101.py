"""The official NAS-Bench-101 file: as TensorBoard and protobuf write it, damaged, and hostile."""

import base64
import json
import random
import struct
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.summary.writer.record_writer import RecordWriter

from diswot.bench.correlation_run import check_params
from diswot.bench.ground_truths import GroundTruth, find_truth
from diswot.bench.ground_truths._tfrecord import crc32c, masked_crc32c
from diswot.errors import DataError, OptionError
from diswot.progress import Step
from diswot.search import measure_costs, resolve_scoring
from search_spaces import NASBench101Space
from tests.conftest import CommandLine
from tests.signatures import of_images

PUBLISHED = (
    "0111100000000100000010000001000001000000010000000",
    "input,conv3x3-bn-relu,conv1x1-bn-relu,maxpool3x3,conv3x3-bn-relu,conv3x3-bn-relu,output",
)
"""The Inception-like module of the benchmark's notebook, as the table has it."""

PARAMS, VALIDATION, TEST = 2_694_282, 0.9376001358032227, 0.9311898946762085
"""What the notebook prints for it."""


def _messages() -> tuple[Any, Any]:
    """Return the classes of `ModelMetrics` and `EvaluationData`, as `model_metrics.proto`."""
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package="nasbench")
    evaluation = file.message_type.add(name="EvaluationData")
    names = ["current_epoch", "training_time", "train", "validation", "test"]
    for number, name in enumerate(names, start=1):
        evaluation.field.add(name=name, number=number, type=1, label=1)
    evaluation.field.add(name="checkpoint_path", number=6, type=9, label=1)
    metrics = file.message_type.add(name="ModelMetrics")
    metrics.field.add(
        name="evaluation_data", number=1, type=11, label=3, type_name=".nasbench.EvaluationData"
    )
    metrics.field.add(name="trainable_parameters", number=2, type=5, label=1)
    metrics.field.add(name="total_time", number=3, type=1, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    find = pool.FindMessageTypeByName
    return (
        message_factory.GetMessageClass(find("nasbench.ModelMetrics")),
        message_factory.GetMessageClass(find("nasbench.EvaluationData")),
    )


METRICS, EVALUATION = _messages()


def metrics(params: int = PARAMS, validation: float = VALIDATION, test: float = TEST) -> Any:
    """Return what is stored of one training: evaluations at its start, middle and end."""
    accuracies = [(0.1, 0.1), (0.5, 0.5), (validation, test)]
    evaluations = [
        EVALUATION(current_epoch=place, training_time=1.0, train=1.0, validation=v, test=t,
                   checkpoint_path="model.ckpt-0")
        for place, (v, t) in enumerate(accuracies)
    ]  # fmt: skip
    return METRICS(evaluation_data=evaluations, trainable_parameters=params, total_time=2.0)


def training(
    place: int, adjacency: str, operations: str, stored: Any, epochs: int = 108
) -> list[Any]:
    encoded = base64.b64encode(stored.SerializeToString()).decode()
    return [f"{place:032x}", epochs, adjacency, operations, encoded]


def chain(names: Sequence[str]) -> tuple[str, str]:
    """Return matrix and operations of a module whose vertices follow each other."""
    size = len(names) + 2
    matrix = np.eye(size, k=1, dtype=int)
    labels = [name if name == "maxpool3x3" else f"{name}-bn-relu" for name in names]
    return "".join(map(str, matrix.ravel())), ",".join(["input", *labels, "output"])


def params_of(names: Sequence[str]) -> int:
    space = NASBench101Space()
    rows = ["1" + "0" * (len(names) - row) for row in range(len(names) + 1)]
    arch = space.from_string(f"{','.join(names)}:{'-'.join(rows)}")
    images = of_images(3, 32, 32)
    return int(measure_costs(partial(space.network, arch, images), images).params)


@pytest.fixture(scope="module", name="content")
def fixture_content() -> list[list[Any]]:
    """Return the trainings of twelve modules, the first of which has two."""
    found = [
        training(0, *PUBLISHED, metrics()),
        training(0, *PUBLISHED, metrics(test=TEST + 0.01)),
    ]
    for place in range(1, 12):
        names = [["conv1x1", "conv3x3", "maxpool3x3"][place % 3]] * (1 + place % 4)
        test = 0.8 + place / 100
        found.append(training(place, *chain(names), metrics(params_of(names), test, test)))
    return found


def written(path: Path, records: Sequence[Any]) -> Path:
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for record in records:
            writer.write(record if isinstance(record, bytes) else json.dumps(record).encode())
    return path


def read(path: Path, progress: Callable[[Step], None] = lambda _: None) -> GroundTruth:
    return find_truth("nas-bench-101", Path(), table=path, progress=progress)


def test_accuracies_are_means_of_trainings(content: list[list[Any]], tmp_path: Path) -> None:
    truth = read(written(tmp_path / "table.tfrecord", content))
    assert len(truth) == 12
    assert [*truth.targets] == ["cifar10", "cifar10-valid"]
    assert truth.accuracies("cifar10")[0] == pytest.approx(100 * TEST + 0.5)
    assert truth.accuracies("cifar10-valid")[0] == pytest.approx(100 * VALIDATION)
    assert truth.accuracies("cifar10")[1:] == pytest.approx([80.0 + n for n in range(1, 12)])
    assert truth.params is not None
    assert (truth.params[0], truth.data) == (PARAMS, "cifar10")
    assert truth.depths is not None
    assert truth.depths[:4].tolist() == [2, 2, 0, 4]


def test_the_full_file_has_a_target_per_length(content: list[list[Any]], tmp_path: Path) -> None:
    short = [[*each[:1], epochs, *each[2:]] for each in content for epochs in (4, 12, 36)]
    truth = read(written(tmp_path / "table.tfrecord", short + content))
    ends = ("", "-36ep", "-12ep", "-4ep")
    assert [*truth.targets] == [f"cifar10{v}{end}" for end in ends for v in ("", "-valid")]


def test_a_part_of_the_table_is_reported(content: list[list[Any]], tmp_path: Path) -> None:
    steps: list[Step] = []
    read(written(tmp_path / "table.tfrecord", content), steps.append)
    assert steps[-1].note.endswith("table.tfrecord has 12 of the 423,624 modules")


def test_it_is_found_in_the_data_root(content: list[list[Any]], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no nas-bench-101/nasbench_only108\.tfrecord"):
        find_truth("nas-bench-101", tmp_path)
    folder = tmp_path / "nas-bench-101"
    folder.mkdir()
    written(folder / "nasbench_only108.tfrecord", content)
    assert len(find_truth("nas-bench-101", tmp_path)) == 12


def test_networks_have_the_parameters_of_the_table(
    content: list[list[Any]], tmp_path: Path
) -> None:
    scoring = resolve_scoring("resnet20", "nas-bench-101", data="digits")
    truth = read(written(tmp_path / "table.tfrecord", content))
    space = truth.space
    images = of_images(3, 32, 32)
    assert truth.params is not None
    for arch, params in zip(truth.architectures, truth.params, strict=True):
        assert measure_costs(partial(space.network, arch, images), images).params == params
    with pytest.raises(DataError) as caught:  # on gray images the stem has fewer
        check_params(truth, scoring.evaluator)
    assert "2,694,282 parameters in the table, but its network has 2,691,978" in str(caught.value)
    assert str(caught.value).endswith("copy or download the table again")


def with_bytes(path: Path, change: Callable[[bytearray], object]) -> Path:
    whole = bytearray(path.read_bytes())
    change(whole)
    path.write_bytes(whole)
    return path


REFUSED = r"is not a complete NAS-Bench-101 file \(after \d+ records: .*\): copy or download"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda b: b.__delitem__(slice(-1, None)), "the file ends inside a record"),
        (lambda b: b.__delitem__(slice(7, None)), "the file ends inside a record"),
        (lambda b: b.__setitem__(0, b[0] ^ 1), "the checksum of a record's length"),
        (lambda b: b.__setitem__(8, b[8] ^ 1), "the checksum of a record's length"),
        (lambda b: b.__setitem__(40, b[40] ^ 1), "the checksum of a record's content"),
        (lambda b: b.__setitem__(-1, b[-1] ^ 1), "the checksum of a record's content"),
        (lambda b: b.__setitem__(slice(0, 0), b"PK\x03\x04 and no more"), "the checksum"),
        (lambda b: b.__setitem__(slice(0, 0), huge()), "a record of 1,099,511,627,776 bytes"),
    ],
)
def test_a_damaged_file_is_refused(
    content: list[list[Any]], tmp_path: Path, change: Callable[[bytearray], object], reason: str
) -> None:
    path = with_bytes(written(tmp_path / "table.tfrecord", content), change)
    with pytest.raises(DataError, match=REFUSED) as caught:
        read(path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def huge() -> bytes:
    """Return the head of a record of a tebibyte, with a correct checksum."""
    length = struct.pack("<Q", 1 << 40)
    return length + struct.pack("<I", masked_crc32c(length))


def without(name: str) -> Any:
    stored = metrics()
    stored.evaluation_data[2].ClearField(name)
    return stored


MANY = "0" * 64, ",".join(["input", *["maxpool3x3"] * 6, "output"])


@pytest.mark.parametrize(
    "record",
    [
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        b'"text"',
        b"[1, 2, 3]",
        ["hash", 108, *PUBLISHED],
        ["hash", True, *PUBLISHED, ""],
        ["hash", 7, *PUBLISHED, ""],
        ["hash", [108], *PUBLISHED, ""],
        [1, 108, *PUBLISHED, ""],
        ["hash", 108, *PUBLISHED, None],
        ["hash", 108, *PUBLISHED, "not base64!"],
        ["hash", 108, *PUBLISHED, ""],
        ["hash", 108, *PUBLISHED, base64.b64encode(b"\x0a\xff\xff\xff\x0f").decode()],
        ["hash", 108, *PUBLISHED, base64.b64encode(b"\x08" + b"\xff" * 12).decode()],
        ["hash", 108, *PUBLISHED, base64.b64encode(b"\x0b").decode()],
        training(99, *PUBLISHED, METRICS(trainable_parameters=PARAMS)),
        training(99, *PUBLISHED, METRICS(evaluation_data=metrics().evaluation_data)),
        training(99, *PUBLISHED, without("test")),
        training(99, *PUBLISHED, without("validation")),
        training(99, *PUBLISHED, metrics(test=float("nan"))),
        training(99, *PUBLISHED, metrics(test=93.1)),
        training(99, "", "", metrics()),
        training(99, PUBLISHED[0][:-1], PUBLISHED[1], metrics()),
        training(99, "2" + PUBLISHED[0][1:], PUBLISHED[1], metrics()),
        training(99, PUBLISHED[0][::-1], PUBLISHED[1], metrics()),
        training(99, PUBLISHED[0], PUBLISHED[1].replace("maxpool3x3", "avgpool"), metrics()),
        training(99, *MANY, metrics()),
        training(0, *chain(["conv1x1"]), metrics()),
        training(0, *PUBLISHED, metrics(params=7)),
    ],
)
def test_other_records_are_refused(content: list[list[Any]], tmp_path: Path, record: Any) -> None:
    path = written(tmp_path / "table.tfrecord", [*content, record])
    with pytest.raises(DataError, match=REFUSED) as caught:
        read(path)
    assert "after 13 records" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_each_module_needs_each_length(content: list[list[Any]], tmp_path: Path) -> None:
    short = [*content[3][:1], 12, *content[3][2:]]
    path = written(tmp_path / "table.tfrecord", [*content, short])
    with pytest.raises(DataError, match="has no training of 12 epochs of the module"):
        read(path)


@pytest.mark.parametrize("count", [0, 3])
def test_few_modules_are_refused(content: list[list[Any]], tmp_path: Path, count: int) -> None:
    with pytest.raises(DataError, match="a ranking needs at least 10"):
        read(written(tmp_path / "table.tfrecord", content[:count]))


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.tfrecord", tmp_path):
        with pytest.raises(DataError, match=r"cannot be read .*: check the path"):
            read(path)


def test_only_official_files_are_tables(cli: CommandLine, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--table .* is for nas-bench-101, and digits-s0"):
        find_truth("digits-s0", tmp_path, table=tmp_path / "x")
    (tmp_path / "mine.csv").write_text("arch,acc\n")
    refused = cli("bench", "correlation", "--truth", "mine.csv", "--table", "x.tfrecord")
    assert refused.code == 2
    assert "is a table already: leave it out" in refused.err


@pytest.mark.slow
def test_scores_are_compared_on_it(
    content: list[list[Any]], tmp_path: Path, shared_data: Path, cli: CommandLine
) -> None:
    path = written(tmp_path / "table.tfrecord", content)
    done = cli(
        "bench", "correlation", "--truth", "nas-bench-101", "--table", path, "--scorers", "null",
        "--data-root", shared_data, "--repeats", 1, "--batch-size", 2, "--teacher", "resnet20",
        "--sample", 10,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "nas-bench-101, cifar10: 10 architectures" in done.out


def _some_bytes(count: int) -> bytes:
    return random.Random(count).randbytes(count)


@given(st.binary(max_size=100) | st.integers(990, 2100).map(_some_bytes))
def test_the_checksum_is_that_of_the_polynomial(content: bytes) -> None:
    crc = 0xFFFFFFFF
    for bit in (byte >> place & 1 for byte in content for place in range(8)):
        crc = crc >> 1 ^ (0x82F63B78 if (crc ^ bit) & 1 else 0)
    assert crc32c(content) == crc ^ 0xFFFFFFFF
