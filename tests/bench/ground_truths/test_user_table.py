"""Ground truths that users supply: which tables are read and which are refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from diswot.bench.ground_truths import GroundTruth, truth_from_csv
from diswot.errors import DataError, DiswotError, UnknownNameError
from search_spaces import Choice, ChoiceSpace, ResNetDepthSpace

ROWS = [f"{a}-{b}-1,{60 + a + b / 10}" for a in (1, 3, 5, 7) for b in (1, 3, 5)]


def load(path: Path, **options: str) -> GroundTruth:
    chosen = {"column": "acc", "data": "cifar100", **options}
    return truth_from_csv(path, chosen.pop("column"), space=ResNetDepthSpace(), **chosen)  # type: ignore[arg-type]


def written(folder: Path, rows: list[str], head: str = "arch,acc") -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    return path


def changed(place: int, row: str) -> list[str]:
    return [*ROWS[:place], row, *ROWS[place + 1 :]]


def test_a_table_is_read(tmp_path: Path) -> None:
    truth = load(written(tmp_path, ROWS))
    assert truth.name == "mine"
    assert list(truth.targets) == ["acc"]
    assert truth.accuracies("acc")[:2].tolist() == [61.1, 61.3]
    assert truth.architectures[1] == (1, 3, 1)
    assert truth.dataset("acc") == "cifar100"
    assert truth.depths is None


def test_the_space_can_be_named(tmp_path: Path) -> None:
    truth = truth_from_csv(written(tmp_path, ROWS), "acc", space="s0", data="digits")
    assert (truth.space_name, truth.data) == ("s0", "digits")


def test_tables_exported_from_spreadsheets_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    lines = [
        "note, acc ,network",
        "",
        *(f'"a, ""b""",{r.split(",")[1]},{r.split(",")[0]}' for r in ROWS),
        "",
    ]
    path.write_bytes("\ufeff".encode() + "\r\n".join(lines).encode())
    truth = load(path, arch_column="network")
    assert len(truth) == len(ROWS)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (changed(3, "3-1-1"), r"line 5: expected 2 cells as in the header, but got 1"),
        (changed(3, "3-1-1,60,7"), r"line 5: expected 2 cells as in the header, but got 3"),
        (changed(3, "4-1-1,60"), r"line 5: .*'?4"),
        (changed(3, "hello,60"), r"line 5: Expected 3 depths like 3-1-5, but got 'hello'"),
        (changed(3, "1-1-1,60"), r"line 5: the architecture '1-1-1' is already on line 2"),
        (changed(3, "3-1-1,good"), r"line 5: expected a finite number .*'acc', but got 'good'"),
        (changed(3, "3-1-1,"), r"line 5: expected a finite number .* got ''"),
        (changed(3, "3-1-1,nan"), r"line 5: expected a finite number .* got 'nan'"),
        (changed(3, "3-1-1,1e999"), r"line 5: expected a finite number .* got '1e999'"),
        (changed(3, "3-1-1,60%"), r"line 5: expected a finite number .* got '60%'"),
        (changed(3, '3-1-1,"60'), r"this is not CSV"),
        (changed(3, '"3-1-1"x,60'), r"line 5: this is not CSV"),
        (ROWS[:9], r"has 9 rows, but a ranking needs at least 10"),
        ([], r"has 0 rows, but a ranking needs at least 10"),
        ([f"{r.split(',')[0]},70" for r in ROWS], r"'acc' is constant \(70 in all 12 rows\), so τ"),
    ],
)  # fmt: skip
def test_the_error_names_the_line_of_a_bad_row(tmp_path: Path, rows: list[str], why: str) -> None:
    path = written(tmp_path, rows)
    with pytest.raises(DataError, match=why) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_column_lists_the_known_ones(tmp_path: Path) -> None:
    path = written(tmp_path, ROWS)
    with pytest.raises(UnknownNameError, match="did you mean 'acc'"):
        load(path, column="accuracy")
    with pytest.raises(UnknownNameError, match="there are acc, arch"):
        load(path, arch_column="???")
    with pytest.raises(UnknownNameError, match="unknown space"):
        truth_from_csv(path, "acc", space="nowhere", data="digits")


def test_duplicate_column_names_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, [f"{row},1" for row in ROWS], head="arch,acc,acc")
    with pytest.raises(DataError, match="two columns 'acc'"):
        load(path)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: None, "there is no file"),
        (lambda path: path.mkdir(), "there is no file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"\n\n\r\n"), "is empty"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00arch"), "not text in UTF-8"),
        (lambda path: path.write_bytes(b"a" * 200_000), "field larger than field limit"),
    ],
)
def test_a_file_that_is_not_a_table_is_refused(
    tmp_path: Path, make: Callable[[Path], object], why: str
) -> None:
    path = tmp_path / "mine.csv"
    make(path)
    with pytest.raises(DataError, match=why):
        load(path)


def test_an_invalid_path_is_refused() -> None:
    for path in (Path("a\0b"), Path("x" * 5000)):
        with pytest.raises(DataError):
            load(path)


def test_an_exception_of_the_space_is_reported(tmp_path: Path) -> None:
    class Odd(ChoiceSpace):
        width = Choice(1, 2)

        def build(self, arch: object, num_classes: int) -> None:  # type: ignore[override]
            raise NotImplementedError

        def from_string(self, text: str) -> object:
            raise KeyError(text)

    with pytest.raises(DataError, match="line 2: '1-1-1'"):
        truth_from_csv(written(tmp_path, ROWS), "acc", space=Odd(), data="digits")


CELLS = st.one_of(
    st.sampled_from(["1-1-1", "3-5-7", "60.5", "", "nan", '"', '""', "arch", "acc", "-", "\0"]),
    st.text(max_size=8),
)
LINES = st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=16)
WHOLE = st.lists(st.sampled_from(ROWS), min_size=9, max_size=13, unique=True)


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text().map(str.encode),
        st.binary(),
        LINES.map(lambda lines: "\n".join(["arch,acc", *lines]).encode("utf-8", "surrogatepass")),
        st.tuples(WHOLE, LINES).map(
            lambda both: "\n".join(["arch,acc", *both[0], *both[1][:1]]).encode("utf-8", "replace")
        ),
    )
)
@example(b"arch,acc\n")
@example(b'"arch\n",acc\n1,2')
def test_any_file_is_read_or_refused_with_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    try:
        truth = load(path)
        message = ""
    except DiswotError as error:
        message = str(error)
    assert len(message.splitlines()) == 1 or len(truth) >= 10
