"""The journal is read back unchanged, or the error names the damaged line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diswot.errors import RunFolderError
from diswot.runs import line_with_checksum
from diswot.search import Candidate, Costs
from diswot.search._journal import Journal, candidate_reader, read_journal
from diswot.students import Fresh
from search_spaces import ResNetDepthSpace, SearchSpace
from tests.signatures import of_images

IMAGES = of_images(1, 8, 8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)

CANDIDATES = st.builds(
    Candidate,
    architecture=st.none(),
    name=st.text(),
    key=st.text(),
    costs=st.builds(
        Costs,
        st.integers(0, 10**15),
        st.integers(0, 10**15),
        st.none() | st.floats(0, 1e6),
        st.none() | st.integers(0, 10**15),
    ),
    terms=st.dictionaries(st.text(), st.lists(NUMBERS, max_size=3).map(tuple), max_size=3),
    seconds=st.floats(0, 1e6),
    failure=st.none() | st.text(),
    violation=st.floats(0, 1e6),
)


def write(folder: Path, *candidates: Candidate) -> None:
    with Journal(folder) as journal:
        for number, candidate in enumerate(candidates, start=journal_length(folder)):
            journal.append(number, candidate)


def journal_length(folder: Path) -> int:
    path = folder / "journal.jsonl"
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def read(folder: Path, space: SearchSpace | None = None) -> list[Candidate]:
    source = None if space is None else Fresh(space, IMAGES)
    return list(read_journal(folder, candidate_reader(space, source)).values())


@given(candidates=st.lists(CANDIDATES, min_size=1, max_size=4, unique_by=lambda c: c.key))
def test_candidates_are_read_back_unchanged(
    tmp_path_factory: pytest.TempPathFactory, candidates: list[Candidate]
) -> None:
    folder = tmp_path_factory.mktemp("run")
    write(folder, *candidates)
    assert read(folder) == candidates


def named(name: str, **known: Any) -> Candidate:
    space = ResNetDepthSpace()
    return Candidate(space.from_string(name), name, name, Costs(1, 2), **known)


def test_an_architecture_is_read_back_and_built_with_its_space(tmp_path: Path) -> None:
    write(tmp_path, named("1-3-5"), named("7-7-7"))
    space = ResNetDepthSpace(in_channels=1)
    first, second = read(tmp_path, space)
    assert (first.architecture, second.architecture) == ((1, 3, 5), (7, 7, 7))
    assert sum(p.numel() for p in first.build().parameters()) > 0


def test_appended_lines_are_on_disk_immediately(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append(0, named("1-3-5"))
        assert read(tmp_path) == [replaced(named("1-3-5"))]
        journal.append(1, named("7-7-7"))
        assert len(read(tmp_path)) == 2


def replaced(candidate: Candidate) -> Candidate:
    """Return a candidate with fields replaced, without its space."""
    return Candidate(None, candidate.name, candidate.key, candidate.costs)


def test_a_second_journal_continues_the_first(tmp_path: Path) -> None:
    write(tmp_path, named("1-3-5"))
    write(tmp_path, named("7-7-7"))
    assert [candidate.name for candidate in read(tmp_path)] == ["1-3-5", "7-7-7"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_cannot_hold_leaves_no_partial_line(
    tmp_path: Path, value: float
) -> None:
    write(tmp_path, named("1-3-5"))
    with pytest.raises(ValueError, match="JSON"):
        write(tmp_path, named("7-7-7", terms={"semantic": (0.5, value)}))
    assert len(read(tmp_path)) == 1


def changed(**values: object) -> Callable[[str], str]:
    return lambda line: written_again(json.loads(line) | values)


def without(key: str) -> Callable[[str], str]:
    return lambda line: written_again({k: v for k, v in json.loads(line).items() if k != key})


def written_again(entry: dict[str, object]) -> str:
    """Return a line with a recomputed checksum."""
    entry.pop("crc32")
    return line_with_checksum(entry).decode().rstrip("\n")


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[:-5],
        lambda line: "",
        lambda line: "rubbish",
        lambda line: "[]",
        lambda line: "null",
        lambda line: '"text"',
        lambda line: "[" * 100_000,
        without("schema"),
        without("key"),
        without("params"),
        changed(architecture=3),
        changed(params="many"),
        changed(macs=None),
        changed(terms=["semantic"]),
        changed(terms={"semantic": 0.5}),
        changed(terms={"semantic": ["high"]}),
        changed(failure=3),
        changed(number=-4),
        changed(number=0),
        changed(key="1-1-1"),
        changed(latency_ms="slow"),
        changed(memory=0.5),
        changed(violation=None),
    ],
    ids=[
        "cut short",
        "empty",
        "rubbish",
        "list",
        "null",
        "text",
        "too deep",
        "no schema",
        "no key",
        "no params",
        "name is a number",
        "params are a word",
        "no macs",
        "terms are a list",
        "term is one number",
        "term is a word",
        "failure is a number",
        "number is below those of baselines",
        "number is doubled",
        "key is doubled",
        "latency is a word",
        "memory is not a whole number",
        "violation is nothing",
    ],
)
def test_the_error_names_a_damaged_line(tmp_path: Path, damage: Callable[[str], str]) -> None:
    write(tmp_path, named("1-1-1"), named("1-3-5"), named("7-7-7"))
    path = tmp_path / "journal.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = damage(lines[1])
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(RunFolderError, match=f"line 2 of {path}") as refusal:
        read(tmp_path)
    assert "\n" not in str(refusal.value)


def test_the_error_names_a_line_that_is_not_text(tmp_path: Path) -> None:
    write(tmp_path, named("1-1-1"), named("1-3-5"))
    path = tmp_path / "journal.jsonl"
    # Inside the quotes, where the line stays valid JSON if the byte is replaced.
    path.write_bytes(path.read_bytes().replace(b"1-3-5", b"1-\xff-5"))
    with pytest.raises(RunFolderError, match="line 2"):
        read(tmp_path)


def test_an_architecture_of_another_space_is_refused(tmp_path: Path) -> None:
    write(tmp_path, named("1-1-1"), named("1-3-5"))
    with pytest.raises(RunFolderError, match="line 2"):
        read(tmp_path, ResNetDepthSpace((1,)))


def test_another_schema_is_refused(tmp_path: Path) -> None:
    write(tmp_path, named("1-1-1"))
    path = tmp_path / "journal.jsonl"
    path.write_text(changed(schema=1)(path.read_text()) + "\n")
    with pytest.raises(RunFolderError, match="schema 1, expected 2"):
        read(tmp_path)


def test_a_folder_without_a_journal_is_not_a_run_folder(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="is not a run folder"):
        read(tmp_path)


@given(text=st.text())
def test_any_line_is_a_candidate_or_named_in_the_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("run")
    (folder / "journal.jsonl").write_text(text, encoding="utf-8", errors="replace", newline="")
    if text:
        with pytest.raises(RunFolderError, match="line 1"):
            read(folder)
    else:
        assert read(folder) == []
