"""Measurements on disk: stored, resumed, and never mixed with other settings."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diswot.bench.record_store import RECORDS, RecordStore, processes
from diswot.errors import RunFolderError

RECORD = {"of": "a", "value": 1.5}


def test_records_are_read_back(tmp_path: Path) -> None:
    with RecordStore(tmp_path / "run", {"seed": 0}, key=["of"]) as store:
        store.append(RECORD, {"of": "b", "value": 2.0})
    with RecordStore(tmp_path / "run", {"seed": 0}, key=["of"]) as again:
        assert list(again.records) == [("a",), ("b",)]
        assert again.records["a",] == RECORD


def test_the_error_names_the_setting_that_differs(tmp_path: Path) -> None:
    RecordStore(tmp_path / "run", {"seed": 0, "batch": 8}, key=["of"])
    with pytest.raises(RunFolderError, match="started with seed 0, but got 1"):
        RecordStore(tmp_path / "run", {"seed": 1, "batch": 8}, key=["of"])


def test_a_folder_with_other_files_is_refused_and_unchanged(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunFolderError, match="holds other files"):
        RecordStore(tmp_path, {"seed": 0}, key=["of"])
    assert [place.name for place in tmp_path.iterdir()] == ["notes.txt"]


def test_the_error_names_a_damaged_line(tmp_path: Path) -> None:
    with RecordStore(tmp_path / "run", {}, key=["of"]) as store:
        store.append(RECORD)
        with pytest.raises(RunFolderError, match="another process is using"):
            in_a_thread(lambda: opened(tmp_path / "run"))
    path = tmp_path / "run" / RECORDS
    path.write_bytes(path.read_bytes().replace(b"1.5", b"1.7"))
    with pytest.raises(RunFolderError, match=r"line 1 of .* is damaged \(.*checksum"):
        opened(tmp_path / "run")
    path.write_text("{broken}\n")
    with pytest.raises(RunFolderError, match=r"line 1 of .* is damaged"):
        opened(tmp_path / "run")
    path.write_text('{"of": "a", "value": 1.5}\n')  # of an earlier version
    assert opened(tmp_path / "run") == {("a",): {"of": "a", "value": 1.5}}


def opened(folder: Path) -> dict[Any, Any]:
    """Open the record store of a folder."""
    with RecordStore(folder, {}, key=["of"]) as store:
        return store.records


def in_a_thread(task: Callable[[], object]) -> None:
    """Run a task in another thread, which holds no lock."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(task).result()


@pytest.mark.slow
@given(cut=st.integers(min_value=0, max_value=60))
def test_a_truncated_file_keeps_all_complete_lines(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("store") / "run"
    records = [{"of": name, "value": 1.5} for name in "abc"]
    with RecordStore(folder, {}, key=["of"]) as store:
        store.append(*records)
    path = folder / RECORDS
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut])
    left = whole[: len(whole) - cut].count(b"\n")
    with RecordStore(folder, {}, key=["of"]) as again:
        assert list(again.records.values()) == records[:left]
        again.append(*records[left:])
    assert path.read_bytes() == whole


TRIM, MMAP = "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"


@pytest.mark.processes
def test_workers_get_allocator_settings_that_the_parent_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(TRIM, raising=False)
    monkeypatch.setenv(MMAP, "1000000")
    before = dict(os.environ)
    with processes(2) as pool:
        assert int(pool.submit(os.getenv, TRIM).result() or 0) > 2**30
        assert pool.submit(os.getenv, MMAP).result() == "1000000"
        assert pool.submit(os.getpid).result() != os.getpid()
    assert dict(os.environ) == before


def test_one_process_means_the_current_process() -> None:
    with processes(1) as pool:
        assert pool.submit(os.getpid).result() == os.getpid()
