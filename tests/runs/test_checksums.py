"""A changed bit in a file of a run is detected, or changes no value."""

import json
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diswot.errors import RunFolderError
from diswot.runs import check_file, check_line, line_with_checksum, write_with_checksum
from diswot.runs.folder import read_json, write_record
from diswot.search import Candidate, Costs
from diswot.search._journal import Journal, candidate_reader, read_journal

FLIPS = 2000
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.text().filter(lambda key: key != "sha256"), JSON, min_size=1)


def flipped(content: bytes, chance: Random) -> bytes:
    """Return `content` with one bit changed."""
    place = chance.randrange(8 * len(content))
    changed = bytearray(content)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


@pytest.fixture(name="journal")
def fixture_journal(tmp_path: Path) -> Path:
    chance = Random(0)
    with Journal(tmp_path) as journal:
        for number in range(20):
            terms = {"semantic": (chance.random(), chance.gauss(0, 1)), "params": (1.5e300,)}
            costs = Costs(chance.randrange(10**6), chance.randrange(10**9), chance.random())
            journal.append(
                number,
                Candidate(None, f"{number}-1-3", f"key{number}", costs, terms, 0.5, "here/1"),
            )
    return tmp_path / "journal.jsonl"


def candidates(folder: Path) -> dict[int, Candidate]:
    return read_journal(folder, candidate_reader(None, None))


@pytest.mark.slow
def test_any_changed_bit_in_a_journal_is_detected(journal: Path) -> None:
    whole, known, chance = journal.read_bytes(), candidates(journal.parent), Random(1)
    for _ in range(FLIPS):
        content = flipped(whole, chance)
        journal.write_bytes(content)
        damaged = next(n for n, (a, b) in enumerate(zip(whole, content, strict=True)) if a != b)
        line = whole[:damaged].count(b"\n") + 1
        with pytest.raises(RunFolderError, match=f"line {line} of {journal} is damaged"):
            candidates(journal.parent)
    journal.write_bytes(whole)
    assert candidates(journal.parent) == known


def test_lines_without_checksum_are_read_only_if_allowed(journal: Path) -> None:
    known = candidates(journal.parent)
    entries = [json.loads(line) for line in journal.read_text().splitlines()]
    for entry in entries:
        del entry["crc32"]
    journal.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    with pytest.raises(RunFolderError, match=r"line 1 .*it has no checksum"):
        candidates(journal.parent)
    assert read_journal(journal.parent, candidate_reader(None, None), unchecked=True) == known


@given(record=RECORDS)
def test_a_line_with_its_checksum_is_accepted(record: dict[str, object]) -> None:
    line = line_with_checksum(record)
    assert check_line(line)
    assert {k: v for k, v in json.loads(line).items() if k != "crc32"} == {
        k: v for k, v in record.items() if k != "crc32"
    }


@given(record=RECORDS, seed=st.integers(0, 2**32))
def test_a_changed_bit_of_a_record_changes_no_value(
    tmp_path_factory: pytest.TempPathFactory, record: dict[str, object], seed: int
) -> None:
    path = tmp_path_factory.mktemp("run") / "manifest.json"
    write_record(path, record)
    assert read_json(path) == record
    path.write_bytes(flipped(path.read_bytes(), Random(seed)))
    try:
        found = read_json(path)
    except RunFolderError:
        return
    assert {name: found.get(name) for name in record} == record  # a space, or the checksum's name


def test_any_changed_bit_in_a_file_is_detected(tmp_path: Path) -> None:
    path, content = tmp_path / "weights.pt", {"weights": torch.arange(100.0)}
    write_with_checksum(path, lambda file: torch.save(content, file))
    assert check_file(path)
    assert torch.load(path, weights_only=True)["weights"].equal(content["weights"])
    whole, chance = path.read_bytes(), Random(2)
    for _ in range(FLIPS // 4):
        changed = flipped(whole, chance)
        path.write_bytes(changed)
        try:
            known_whole = check_file(path)
        except ValueError:
            continue
        assert not known_whole
        assert changed[:-72] == whole[:-72]  # the changed byte is in the word before the checksum
