"""Measurements that last: a folder of settings and records, resumed where it stopped."""

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch

from diswot.errors import RunFolderError
from diswot.runs import RecordFile, working_in
from diswot.runs.folder import read_json, versions, write_record
from diswot.workers import Workers

MANIFEST = "manifest.json"
RECORDS = "records.jsonl"


class RecordStore:
    """Records of one measurement, one line each, on disk as soon as they are made.

    Opened again with the same settings it knows what was measured before; a last line
    that was cut off is dropped. While it is open, no other process can open it.

    Args:
        folder: where it lies; made where it does not exist.
        settings: all that the records depend on.
        key: names of the entries of a record that say what was measured.

    Raises:
        RunFolderError: the folder holds something else, or records of other settings; when it
            is opened, another process is at work in it.

    Examples:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with RecordStore(folder, {"seed": 0}, key=["arch"]) as store:
        ...     store.append({"arch": "3-1-5", "score": 0.5})
        >>> with RecordStore(folder, {"seed": 0}, key=["arch"]) as again:
        ...     again.records
        {('3-1-5',): {'arch': '3-1-5', 'score': 0.5}}
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], *, key: Sequence[str]) -> None:
        self._key = tuple(key)
        self._folder, self._file = folder, RecordFile(folder / RECORDS)
        settings = json.loads(json.dumps(dict(settings)))
        if (folder / MANIFEST).exists():
            _same(settings, read_json(folder / MANIFEST).get("settings"), folder)
        elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RunFolderError(
                f"{folder} holds something else: name an empty or a new folder with --out"
            )
        else:
            folder.mkdir(parents=True, exist_ok=True)
            write_record(folder / MANIFEST, {"settings": settings, "versions": versions()})
        self.records: dict[tuple[Hashable, ...], dict[str, Any]] = {}
        self._open = ExitStack()

    def __enter__(self) -> "RecordStore":
        with ExitStack() as opened:
            opened.enter_context(working_in(self._folder, resumable=False))
            self.records = dict(self._file.read(lambda record: (self.key_of(record), record)))
            self._open = opened.pop_all()
        return self

    def __exit__(self, *failure: Any) -> bool | None:
        return self._open.__exit__(*failure)

    def key_of(self, record: Mapping[str, Any]) -> tuple[Hashable, ...]:
        """Return what was measured."""
        return tuple(record[name] for name in self._key)

    def append(self, *records: dict[str, Any]) -> None:
        """Write records; when this returns they are on disk."""
        self._file.append(*records)
        self.records |= {self.key_of(record): record for record in records}


def _same(asked: Mapping[str, Any], found: Any, folder: Path) -> None:
    if not isinstance(found, Mapping):
        raise RunFolderError(f"{folder / MANIFEST} is damaged: name another folder with --out")
    for name in (*asked, *found):
        if asked.get(name) != found.get(name):
            raise RunFolderError(
                f"{folder} was started with {name} {found.get(name)!r}, but got "
                f"{asked.get(name)!r}: give the same options to resume it, or another --out"
            )


@contextmanager
def processes(count: int) -> Iterator[Executor]:
    """Return `count` new processes that share the machine's cores; one is this process itself."""
    if count == 1:
        pool: Executor = ThreadPoolExecutor(
            1, initializer=torch.set_num_threads, initargs=(torch.get_num_threads(),)
        )
    else:
        pool = Workers(count)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
