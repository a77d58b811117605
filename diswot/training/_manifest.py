"""What a command that trains was told, kept in its folder so that it can be resumed."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diswot.devices import is_first, processes
from diswot.errors import DiswotError, RunError, RunFolderError
from diswot.runs import LOCK
from diswot.runs.config import CONFIG
from diswot.runs.folder import read_json, versions, write_record
from diswot.training._fingerprint import check_same

MANIFEST = "training.json"
"""The file that tells what a training was begun with, by a command."""


@dataclass(frozen=True)
class TrainingManifest:
    """What a training was begun with.

    Attributes:
        command: which command began it, such as `distill`.
        told: its options, as plain values.
        of: what it is a training of, which must be the same for it to go on.
    """

    command: str
    told: Mapping[str, Any]
    of: Mapping[str, Any]

    @contextmanager
    def kept(self, folder: Path) -> Iterator[None]:
        """Keep it in the folder of the training that the block does.

        It is taken back where the block ends in a user's mistake before anything was
        trained. Of several processes the first writes; their number is part of what must
        be the same.

        Raises:
            RunFolderError: the manifest there is damaged, or of another training.
        """
        if not is_first():
            yield
            return
        absent = [place for place in (folder, *folder.absolute().parents) if not place.exists()]
        self._write(folder)
        try:
            yield
        except RunError:
            raise
        except DiswotError:
            if {path.name for path in folder.iterdir()} <= {MANIFEST, CONFIG, LOCK}:
                for name in (MANIFEST, CONFIG):
                    (folder / name).unlink(missing_ok=True)
                for place in absent:
                    place.rmdir()
            raise

    def _write(self, folder: Path) -> None:
        of = json.loads(json.dumps({**self.of, "number_of_processes": processes()}))
        known = read_training_manifest(folder)
        if known is not None:
            check_same(known.of, of, folder / MANIFEST)
        folder.mkdir(parents=True, exist_ok=True)
        write_record(folder / MANIFEST, {**asdict(self), "of": of, "versions": versions()})


def read_training_manifest(folder: Path) -> TrainingManifest | None:
    """Read what the training in a folder was begun with; `None` where nothing tells it.

    Raises:
        RunFolderError: it is damaged.
    """
    path = folder / MANIFEST
    try:
        if not path.exists():
            return None
    except OSError:  # a name that cannot be; who reads there will be told
        return None
    content = read_json(path)
    command, told, of = (content.get(name) for name in ("command", "told", "of"))
    if not (isinstance(command, str) and isinstance(told, dict) and isinstance(of, dict)):
        raise RunFolderError(f"{path} is damaged: restore it from a copy, or train anew")
    return TrainingManifest(command, told, of)
