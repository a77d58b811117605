"""The options of a command that trains, kept in its folder so that it can be resumed."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.devices import is_first, processes
from diswot.errors import DiswotError, RunError, RunFolderError
from diswot.runs import LOCK
from diswot.runs.config import CONFIG
from diswot.runs.folder import read_json, versions, write_record
from diswot.training._fingerprint import check_same

MANIFEST = "training.json"
"""The file with the options that a command started a training with."""

_FORMER = "told"
"""The entry with the options in files of earlier versions, which are still read."""


@dataclass(frozen=True)
class TrainingManifest:
    """What a training was started with.

    Attributes:
        command: which command started it, such as `distill`.
        options: of that command, as plain values.
        of: the fingerprint of the training, which must be the same for it to resume.
    """

    command: str
    options: Mapping[str, Any]
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
        record = {"command": self.command, "options": dict(self.options), "of": of}
        write_record(folder / MANIFEST, record | {"versions": versions()})


def read_training_manifest(folder: Path) -> TrainingManifest | None:
    """Read what the training in a folder was started with; `None` where there is no record.

    Raises:
        RunFolderError: it is damaged.
    """
    path = folder / MANIFEST
    try:
        if not path.exists():
            return None
    except OSError:  # a name that cannot be: whoever reads there says so
        return None
    content = read_json(path)
    command, options, of = (content.get(name) for name in ("command", "options", "of"))
    options = content.get(_FORMER) if options is None else options
    if not (isinstance(command, str) and isinstance(options, dict) and isinstance(of, dict)):
        raise RunFolderError(f"{path} is damaged: restore it from a copy, or train again")
    return TrainingManifest(command, options, of)
