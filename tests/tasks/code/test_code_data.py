"""Labeled programs: files, folders, groups, and messages on bad input."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from diswot.errors import DataError, MissingExtraError, OptionError
from diswot.tasks import SPLITS, find_task
from diswot.tasks.code import (
    CodeData,
    Program,
    encoded,
    groups_of,
    load_code,
    programs_for_student,
)
from diswot.testing import check_task
from tests.tasks.code.conftest import WriteRows, contract, rows


def test_the_task_follows_the_contract(programs: CodeData) -> None:
    check_task(programs)


def test_contracts_are_read_with_their_vulnerability(write: WriteRows) -> None:
    data = load_code(write(rows()))
    assert data.classes == ("none", "reentrancy")
    assert sum(data.size(split) for split in SPLITS) == 12
    assert data.length % 8 == 0
    assert data.source is not None
    assert load_code(data.source.data).digest == data.digest


def test_only_chosen_vulnerabilities_are_read(write: WriteRows) -> None:
    other = [{**row, "vulnerability": "timestamp"} for row in rows(24)[12:]]
    path = write([*rows(), *other])
    data = load_code(path, vulnerabilities="timestamp", length=32)
    assert data.classes == ("none", "timestamp")
    assert load_code(data, vulnerabilities="timestamp", length=32) is data
    with pytest.raises(DataError, match=r"no vulnerability overflow: it has reentrancy, timestamp"):
        load_code(path, vulnerabilities="overflow")


@pytest.mark.parametrize("label", [2, "yes", True, 0.5, None, -1])
def test_labels_of_vulnerabilities_are_0_or_1(label: Any, write: WriteRows) -> None:
    lines = [*rows(), {**rows(1)[0], "label": label}]
    with pytest.raises(DataError, match=r"line 13: expected the label 0 or 1 .* but got"):
        load_code(write(lines))


def test_programs_that_do_not_parse_are_left_out_up_to_a_limit(write: WriteRows) -> None:
    broken = {**rows(1)[0], "source": "contract {"}
    path = write([*rows(), broken])
    assert any("left out: 1 of 13" in note for note in load_code(path).notes)
    with pytest.raises(DataError, match=r"1 of 13 .* limit of 5% \(first .*line 13: it is not Sol"):
        load_code(path, max_unparsed=0.05)


def test_a_group_in_two_given_splits_is_refused(write: WriteRows) -> None:
    splits = ["train"] * 8 + ["test"] * 4
    lines = [{**row, "split": split} for row, split in zip(rows(), splits, strict=True)]
    assert load_code(write(lines)).size("test") == 4
    lines[-1]["group"] = "0"
    with pytest.raises(DataError, match="the group '0' in test and train, and 0 more"):
        load_code(write(lines))
    lines[-1] |= {"group": "11", "source": lines[0]["source"]}
    with pytest.raises(DataError, match=r"equal tokens 'contract .* in test and train"):
        load_code(write(lines))


def test_groups_are_joined_by_equal_tokens_and_names() -> None:
    given = [("a", "1"), ("b", "2"), ("b", "1"), ("c", ""), ("d", ""), ("c", "3")]
    programs = [Program((token,), "x", group) for token, group in given]
    assert groups_of(programs) == [0, 0, 0, 3, 4, 3]


def test_no_group_is_in_two_splits_that_are_held_out() -> None:
    made = [
        Program((f"t{number}", label), label, str(number // 3))
        for label in ("x", "y")
        for number in range(60)
    ]
    data = encoded("made", {"train": made}, length=4, vocabulary=200)
    owners: dict[int, set[str]] = {}
    for split in SPLITS:
        for row in data.split(split).tokens:
            token = data.vocabulary.tokens[int(row[0])]
            if token.startswith("t"):
                owners.setdefault(int(token[1:]) // 3, set()).add(split)
    assert owners
    assert all(len(splits) == 1 for splits in owners.values())


def test_equal_tokens_are_used_once_with_the_vulnerability() -> None:
    tokens = [("a", "none"), ("a", "x"), ("b", "x"), ("b", "x"), ("c", "x"), ("c", "y")]
    others = [(f"{label}{number}", label) for label in ("none", "x", "y") for number in range(20)]
    programs = [Program((token,), label) for token, label in [*tokens, *others]]
    data = encoded("made", {"train": programs}, length=4, vocabulary=100)
    assert sum(data.size(split) for split in SPLITS) == 62
    assert "repetitions of equal tokens left out: 2" in data.notes
    assert "programs with two classes left out: 2" in data.notes


def test_folders_of_source_files_are_read(tmp_path: Path) -> None:
    for label in ("safe", "unsafe"):
        (tmp_path / label).mkdir()
        for number in range(10):
            source = contract(number, vulnerable=label == "unsafe")
            (tmp_path / label / f"{number}.sol").write_text(source)
    assert load_code(tmp_path).classes == ("safe", "unsafe")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty has no \.py, \.sol, \.c files"):
        load_code(tmp_path)


def test_solidity_without_the_extra_names_it(
    write: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diswot.tasks.code import _normalization

    _normalization._solidity_parser.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter_solidity", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'diswot\[code\]'"):
        load_code(write(rows()))


def test_options_that_do_not_fit_are_refused(programs: CodeData) -> None:
    with pytest.raises(OptionError, match="different names with commas"):
        load_code("contracts.jsonl", vulnerabilities="a,,b")
    with pytest.raises(OptionError, match=r"selects lines of a .jsonl file"):
        load_code("code-patterns", vulnerabilities="a")
    with pytest.raises(OptionError, match="programs is encoded already: leave length 8 out"):
        load_code(programs, length=8)
    with pytest.raises(DataError, match="one class of training programs"):
        encoded("one", {"train": [Program(("a",), "x")]}, length=4, vocabulary=20)


def test_the_embedded_patterns_mask_what_decides_them() -> None:
    data = load_code("code-patterns")
    assert data.masked
    assert data.classes == ("none", "assert", "broad-except", "dynamic-call")
    assert not {"assert", "raise", "eval", "exec", "compile"} & {*data.vocabulary.tokens}
    assert [metric.name for metric in data.metrics] == ["macro F1", "accuracy"]


def test_the_given_contracts_are_read(shared_data: Path) -> None:
    path = shared_data / "smart-contracts" / "contracts.jsonl"
    data = load_code(path, vulnerabilities="infinite_loop")
    assert sum(data.size(split) for split in SPLITS) == 322
    assert torch.bincount(data.class_labels("test")).tolist() == [33, 32]


def test_mixing_is_refused_for_programs() -> None:
    from diswot.training import Recipe

    with pytest.raises(OptionError, match="programs cannot be mixed by mixup"):
        find_task("code").check_changes(Recipe(1, mixup=0.5))


def test_few_labels_of_other_programs_are_encoded_for_a_student(programs: CodeData) -> None:
    made = [
        Program(("a", f"new{number}", "b", label), label) for label in "pq" for number in range(20)
    ]
    other = encoded("other", {"train": made}, length=12, vocabulary=9, tokens=programs.vocabulary)
    assert other.signature.inputs == programs.signature.inputs
    few = other.with_fewer(10, seed=1)
    assert torch.bincount(few.class_labels("train")).tolist() == [5, 5]
    assert few.test is other.test
    unknown = programs.vocabulary.encode(["new0"])
    assert (few.train.tokens[:, 1] == unknown[0]).all()


def test_a_folder_without_an_exported_student_is_refused(tmp_path: Path) -> None:
    for content in (None, "{}", "[", '{"preprocessing": {"length": 8}}'):
        if content is not None:
            (tmp_path / "config.json").write_text(content)
        with pytest.raises(DataError, match="does not describe an exported student of source"):
            programs_for_student(tmp_path, tmp_path / "contracts.jsonl")
