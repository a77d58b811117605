"""A folder of settings and records that makes measurements resumable."""

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
    """Records of one measurement, appended to a JSON Lines file as they are made.

    Reopened with the same settings, it has the earlier records; an incomplete last line is
    dropped. While it is open, no other process can open it.

    Args:
        folder: folder of the records; created if missing.
        settings: everything that the records depend on, as JSON values.
        key: keys of a record whose values identify it.

    Raises:
        RunFolderError: the folder has other content, or records of other settings; on entering
            the context, another process uses it.

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
        # As read from a manifest: tuples become lists, keys become strings.
        settings = json.loads(json.dumps(dict(settings)))
        if (folder / MANIFEST).exists():
            _same(settings, read_json(folder / MANIFEST).get("settings"), folder)
        elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RunFolderError(
                f"{folder} holds other files: name an empty or a new folder with --out"
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
        """Return the tuple of values that identifies a record."""
        return tuple(record[name] for name in self._key)

    def append(self, *records: dict[str, Any]) -> None:
        """Append records; they are on disk when this returns."""
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
    """Yield an executor of `count` processes; 1 runs in a thread of this process."""
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
