"""Latencies from a table."""

import csv
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diswot.errors import DataError, DiswotError, OptionError, SpaceError, UnknownNameError
from diswot.latency import find_latency, read_latency_table
from diswot.tasks.images import load_data
from search_spaces import NASBench201Space, ResNetDepthSpace
from tests.cli.conftest import damaged

S0 = ResNetDepthSpace()
IMAGES = load_data("digits").signature


def table(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_latency_is_read_from_the_row_of_the_architecture(tmp_path: Path) -> None:
    path = table(tmp_path, "arch,phone\n1-1-1,0.5\n\n3-1-5,2e1\n")
    latency = find_latency(str(path), space=S0, signature=IMAGES)
    assert latency.repeatable
    assert latency.name == "column phone of mine.csv"
    assert [latency(S0.from_string(name)) for name in ("1-1-1", "3-1-5")] == [0.5, 20]
    again = pickle.loads(pickle.dumps(latency))
    assert again(S0.from_string("3-1-5")) == 20


def test_the_error_names_an_architecture_missing_in_the_table(tmp_path: Path) -> None:
    latency = read_latency_table(table(tmp_path, "arch,ms\n1-1-1,0.5\n"), space=S0)
    with pytest.raises(SpaceError, match=r"mine.csv has no latency of 7-7-7: add a row"):
        latency(S0.from_string("7-7-7"))


@pytest.mark.slow
def test_the_devices_of_a_published_table_are_columns(shared_data: Path) -> None:
    path = shared_data / "nas-bench-201" / "device_costs_cifar100.csv"
    space = NASBench201Space()
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for device in ("edgegpu_latency", "pixel3_latency"):
        latency = find_latency(str(path), space=space, signature=IMAGES, column=device)
        assert [latency(space.from_string(row["arch"])) for row in rows] == [
            float(row[device]) for row in rows
        ]
    with pytest.raises(OptionError, match=r"10 columns .*--latency-column.*raspi4_latency"):
        find_latency(str(path), space=space, signature=IMAGES)
    with pytest.raises(UnknownNameError, match="did you mean 'pixel3_latency'"):
        find_latency(str(path), space=space, signature=IMAGES, column="pixel_latency")


def test_equivalent_cells_have_separate_latencies(tmp_path: Path) -> None:
    space = NASBench201Space()
    slow, fast = (
        "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
        "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    )
    archs = [space.from_string(text) for text in (slow, fast)]
    assert space.canonical_key(archs[0]) == space.canonical_key(archs[1])
    latency = read_latency_table(table(tmp_path, f"arch,ms\n{slow},9\n"), space=space)
    assert latency(archs[0]) == 9
    with pytest.raises(SpaceError, match="no latency"):
        latency(archs[1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("arch,ms\n", "has no rows"),
        ("name,ms\n1-1-1,1\n", "has no column 'arch'"),
        ("arch\n1-1-1\n", "there is none"),
        ("arch,ms,ms\n1-1-1,1,1\n", "two columns 'ms'"),
        (
            "arch,ms\n1-1-1,1\n1-1-1,2\n",
            "line 3: the architecture '1-1-1' is already on line 2",
        ),
        ("arch,ms\n1-1-1,1,2\n", "line 2: expected 2 cells"),
        ("arch,ms\n1-1-1\n", "line 2: expected 2 cells"),
        ("arch,ms\n1-1-2,1\n", "line 2: Expected one of 1, 3, 5, 7"),
        ("arch,ms\n1-1-1,fast\n", "line 2: expected a finite number .* got 'fast'"),
        ("arch,ms\n1-1-1,0\n", "got 0"),
        ("arch,ms\n1-1-1,-1\n", "got -1"),
        ("arch,ms\n1-1-1,nan\n", "got 'nan'"),
        ("arch,ms\n1-1-1,inf\n", "got 'inf'"),
        ("arch,ms\n1-1-1,\n", "got ''"),
        ('arch,ms\n"1-1-1,1\n', "this is not CSV"),
    ],
)
def test_a_faulty_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DiswotError, match=message) as refusal:
        read_latency_table(table(tmp_path, text), space=S0)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["missing.csv", ".", "binary.csv"])
def test_a_binary_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "binary.csv").write_bytes(b"arch,ms\n\xff\xfe,1\n")
    with pytest.raises(DataError, match=r"there is no file|not text in UTF-8"):
        read_latency_table(tmp_path / name, space=S0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=damaged(b'arch,ms\n1-1-1,0.5\n3-1-5,2e1\n"7-7-7",3\n'))
def test_a_damaged_table_is_read_or_a_one_line_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.csv"
    path.write_bytes(content)
    try:
        found = read_latency_table(path, space=S0)
    except DiswotError as error:
        assert "\n" not in str(error)  # noqa: PT017  (both outcomes are right)
    else:
        assert all(ms > 0 for ms in found.ms.values())


@pytest.mark.parametrize(
    ("spec", "column", "message"),
    [
        ("guessed", None, "to be eager, onnx, torch-compile, a table"),
        ("", None, "to be eager, onnx, torch-compile, a table"),
        ("table.tsv", None, "to be eager, onnx, torch-compile, a table"),
        ("measured", "phone", "--latency-column names a column of a table"),
        ("mine.json", "phone", "--latency-column names a column of a table"),
        ("missing.csv", None, "there is no file"),
        ("missing.json", None, "cannot be read"),
    ],
)
def test_an_invalid_latency_source_is_refused(spec: str, column: str | None, message: str) -> None:
    with pytest.raises(DiswotError, match=message):
        find_latency(spec, space=S0, signature=IMAGES, column=column)


@given(text=st.text(max_size=8))
def test_any_invalid_source_is_a_one_line_error(text: str) -> None:
    with pytest.raises(DiswotError) as refusal:
        find_latency(f"{text}?", space=S0, signature=IMAGES)
    assert len(str(refusal.value).splitlines()) == 1
