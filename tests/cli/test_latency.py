"""`diswot latency`: files, printed output and errors."""

import json
from pathlib import Path

import pytest

from diswot.latency import read_operator_table
from tests.cli.conftest import Refused
from tests.conftest import CommandLine

CALIBRATE = ("latency", "calibrate", "--sample", "6", "--device", "cpu")
MEASURE = ("latency", "measure", "--device", "cpu")


@pytest.mark.slow
def test_a_calibration_is_written_and_reported(cli: CommandLine, tmp_path: Path) -> None:
    done = cli(*CALIBRATE, "--out", "mine.json")
    assert done.code == 0, done.err
    table = read_operator_table(tmp_path / "mine.json")
    assert len(table.architectures) == 6
    assert f"{table.error.median:.1%}" in done.out
    assert "on 2 architectures that were held out" in done.out
    assert "data: 10 classes, images in train/val/test: 0 " in done.err
    last = done.out.splitlines()[-1]
    assert last.startswith(
        "Next: diswot search --space s0 --data digits --latency mine.json --max-"
    )


@pytest.mark.slow
def test_the_calibration_file_is_named_after_space_and_device(
    cli: CommandLine, tmp_path: Path
) -> None:
    done = cli(*CALIBRATE, "--json")
    reported = json.loads(done.out)
    assert reported["file"] == "s0-cpu.json"
    table = read_operator_table(tmp_path / "s0-cpu.json")
    assert reported["operators"] == len(table.operators)
    assert reported["median"] == table.error.median


@pytest.mark.slow
def test_measured_latencies_are_printed(cli: CommandLine) -> None:
    printed = cli(*MEASURE, "1-1-1", "3-1-1")
    assert printed.code == 0, printed.err
    assert "measured in onnxruntime on cpu, batch 1, threads 1" in printed.out
    assert all(name in printed.out for name in ("1-1-1", "3-1-1"))
    assert "data: 10 classes, images in train/val/test: 0 " in printed.err
    (reported,) = json.loads(cli(*MEASURE, "1-1-1", "--batch", "2", "--json").out)["architectures"]
    assert reported["architecture"] == "1-1-1"
    assert reported["batch"] == 2
    assert reported["form"] == "onnx"
    assert reported["median_ms"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*CALIBRATE, "--sample", "5"), "sample of at least 6"),
        ((*CALIBRATE, "--sample", "many"), "--sample"),
        ((*CALIBRATE, "--threads", "0"), "--threads"),
        ((*CALIBRATE, "--threads", "100000"), "--threads"),
        ((*CALIBRATE, "--batch", "0"), "--batch"),
        ((*CALIBRATE, "--space", "s1"), "did you mean 's0'"),
        ((*CALIBRATE, "--space", "tests.cli.faulty:Small"), "the space has 4 architectures"),
        ((*CALIBRATE, "--space", "tests.cli.faulty:BuildRaises"), "build raised RuntimeError"),
        ((*CALIBRATE, "--data", "digit"), "did you mean 'digits'"),
        ((*CALIBRATE, "--device", "tpu9"), "the device 'tpu9' cannot be used"),
        ((*CALIBRATE, "--out", "table.csv"), "Expected a .json file"),
        ((*CALIBRATE, "--out", "nowhere/table.json"), "nowhere is not a writable folder"),
        ((*MEASURE,), "ARCHITECTURE"),
        ((*MEASURE, "1-1-2"), "Expected one of 1, 3, 5, 7"),
        ((*MEASURE, "1-1-1", "--threads", "-1"), "--threads"),
        (("latency", "calibrat"), "calibrat"),
    ],
)
def test_invalid_arguments_are_refused(
    refused: Refused, arguments: tuple[str, ...], message: str
) -> None:
    assert message in refused(*arguments)


def test_an_existing_file_is_not_overwritten(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("precious")
    assert "mine.json exists" in refused(*CALIBRATE, "--out", "mine.json")
    assert (tmp_path / "mine.json").read_text() == "precious"
