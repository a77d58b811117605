"""Labeled texts from files and folders, and errors."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from diswot.errors import DataError, OptionError, UnknownNameError
from diswot.tasks.text import check_texts, load_texts
from tests.tasks.text.conftest import PAIRS

Made = Callable[[Path], Path]


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def csv(path: Path, pairs: Sequence[tuple[str, str]] = PAIRS) -> Path:
    return written(path, "text,label\n" + "".join(f"{text},{label}\n" for text, label in pairs))


def lines(path: Path, pairs: Sequence[tuple[str, str]] = PAIRS) -> Path:
    rows = (json.dumps({"text": text, "label": label}) for text, label in pairs)
    return written(path, "\n".join(rows))


def with_splits(path: Path) -> Path:
    rows = ["label,split,text"]
    for number, (text, label) in enumerate(PAIRS):
        split = "test" if number % 5 == 0 else "validation" if number % 5 == 1 else "train"
        rows.append(f"{label},{split},{text}")
    return written(path / "texts.csv", "\n".join(rows))


def split_files(path: Path) -> Path:
    lines(path / "reviews_train.jsonl")
    lines(path / "reviews_test.jsonl", PAIRS[10:20])
    return path


def class_folders(path: Path) -> Path:
    for number, (text, label) in enumerate(PAIRS):
        written(path / label / f"{number}.txt", text)
    written(path / "calm" / "notes.md", "not read")
    return path


def split_folders(path: Path) -> Path:
    class_folders(path / "train")
    class_folders(path / "test")
    return path


@pytest.mark.parametrize(
    ("made", "sizes"),
    [
        (lambda path: csv(path / "a.csv"), (22, 2, 6)),
        (lambda path: lines(path / "a.jsonl"), (22, 2, 6)),
        (with_splits, (18, 6, 6)),
        (split_files, (27, 3, 10)),
        (class_folders, (22, 2, 6)),
        (split_folders, (27, 3, 30)),
    ],
)
def test_texts_are_read(made: Made, sizes: tuple[int, int, int], root: Path) -> None:
    data = load_texts(made(root / "given"), root=root)
    assert (len(data.train), len(data.val), len(data.test)) == sizes
    assert data.classes == ("calm", "wild")


def test_csv_and_json_lines_give_the_same_data(root: Path) -> None:
    one, two = (
        load_texts(path, root=root) for path in (csv(root / "a.csv"), lines(root / "a.jsonl"))
    )
    assert one.digest == two.digest


def test_pairs_and_mappings_are_accepted(root: Path) -> None:
    assert load_texts(PAIRS, root=root).size("train") == 22
    by_split = load_texts({"train": PAIRS, "dev": PAIRS[8:19], "test": PAIRS}, root=root)
    assert by_split.size("val") == 11
    assert any("30 of 30 test texts are train texts too" in note for note in by_split.notes)


def test_numeric_classes_are_sorted_by_number(root: Path) -> None:
    rows = [{"text": text, "label": 2 + 8 * (label == "wild")} for text, label in PAIRS]
    path = written(root / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert load_texts(path, root=root).classes == ("2", "10")


BAD: dict[str, tuple[Made, str]] = {
    "no UTF-8": (
        lambda path: _bytes(path / "a.csv", b"text,label\nfine,a\nbad \xff,b\n"),
        r"a\.csv, line 3: this is not text in UTF-8",
    ),
    "no UTF-8 in a text file": (
        lambda path: _bytes(class_folders(path) / "calm" / "x.txt", b"one\ntwo\xfe").parents[1],
        r"x\.txt, line 2: this is not text in UTF-8",
    ),
    "no label": (lambda path: written(path / "a.csv", "text,class\nhi,a\n"), "there is no 'label'"),
    "neither": (lambda path: written(path / "a.csv", "x,y\nhi,a\n"), "no 'text' and no 'label'"),
    "no label in one line": (
        lambda path: written(path / "a.jsonl", '{"text": "a", "label": 1}\n{"text": "b"}'),
        r"a\.jsonl, line 2: there is no 'label'",
    ),
    "no JSON": (lambda path: written(path / "a.jsonl", "text"), r"line 1: this is not JSON"),
    "deep JSON": (lambda path: written(path / "a.jsonl", "[" * 100_000), r"line 1: "),
    "no object": (lambda path: written(path / "a.jsonl", "[1, 2]"), "expected an object"),
    "a number as text": (
        lambda path: written(path / "a.jsonl", '{"text": 3, "label": "a"}'),
        "line 1: expected a text",
    ),
    "a share as label": (
        lambda path: written(path / "a.jsonl", '{"text": "b", "label": 0.5}'),
        "line 1: expected a label",
    ),
    "an empty text": (
        lambda path: written(path / "a.csv", 'text,label\nhi,a\n" ",b\n'),
        r"a\.csv, line 3: the text is empty",
    ),
    "an empty label": (
        lambda path: written(path / "a.csv", "text,label\nhi,\n"),
        "line 2: the label is empty",
    ),
    "an empty text file": (
        lambda path: written(class_folders(path) / "wild" / "x.txt", "\n").parents[1],
        r"x\.txt: the text is empty",
    ),
    "one class": (lambda path: csv(path / "a.csv", PAIRS[:9]), "one class of training texts"),
    "a class with one text": (lambda path: csv(path / "a.csv", PAIRS[:16]), "too few texts"),
    "nothing": (lambda path: written(path / "a.csv", "text,label\n"), "is empty"),
    "another split": (
        lambda path: written(path / "a.csv", "text,label,split\nhi,a,train\nho,b,all\n"),
        "the split 'all'",
    ),
    "no training texts": (
        lambda path: csv(path / "val.csv").parent,
        "no training texts",
    ),
    "a class of the test split alone": (
        lambda path: (
            csv(split_files(path) / "x.csv", [("a", "new")])
            .replace(path / "reviews_val.csv")
            .parent
        ),
        "classes in val that no training text has: new",
    ),
    "several files": (
        lambda path: csv(csv(path / "a.csv").with_name("b.csv")).parent,
        "name one file, or name them train, val and test",
    ),
    "no texts": (lambda path: written(path / "a" / "x.md", "hi").parents[1], "has no .txt files"),
    "an empty folder": (lambda path: written(path / ".x", "").parent, "has no texts"),
    "a split and others": (
        lambda path: written(split_folders(path) / "other" / "a" / "x.txt", "hi").parents[2],
        "has test, train as splits, and also other",
    ),
    "another file": (lambda path: written(path / "a.tsv", "hi"), "is not a file of labeled texts"),
    "plain text": (lambda path: written(path / "a.txt", "hi"), "plain text without labels: give"),
    "no file": (lambda path: path / "a.csv", "there is no"),
}


def _bytes(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("made", "message"), BAD.values(), ids=list(BAD))
def test_invalid_text_files_are_one_line_errors(made: Made, message: str, root: Path) -> None:
    with pytest.raises(DataError, match=message) as refused:
        load_texts(made(root / "given"), root=root)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("data", "kind"), [("python-doc", UnknownNameError), (3, OptionError), (None, OptionError)]
)
def test_invalid_data_is_refused_before_reading(data: object, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="texts"):
        check_texts(data)


@pytest.mark.parametrize("given", [[], ["text"], [("text",)], {"test": PAIRS}, [("", "a")]])
def test_invalid_pairs_are_refused(given: object, root: Path) -> None:
    with pytest.raises(DataError):
        load_texts(given, root=root)


@pytest.mark.parametrize("options", [{"length": 3}, {"vocabulary": 10}, {"length": 10**6}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="Expected"):
        check_texts("python-docs", **options)
