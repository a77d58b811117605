"""The manifest of a training: the command and options with which it can be resumed."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.devices import is_first, processes
from diswot.errors import DiswotError, RunError, RunFolderError
from diswot.runs import LOCK, TRAINING_MANIFEST
from diswot.runs.config import CONFIG
from diswot.runs.folder import read_json, versions, write_record
from diswot.training._fingerprint import check_same

_FORMER = "told"
"""Key of the options in files of earlier versions, which are still read."""


@dataclass(frozen=True)
class TrainingManifest:
    """The command and options that a training was started with.

    Attributes:
        command: the command, such as `distill`.
        options: its options, as JSON values.
        of: the fingerprint of the training, which must agree to resume it.
    """

    command: str
    options: Mapping[str, Any]
    of: Mapping[str, Any]

    @contextmanager
    def kept(self, folder: Path) -> Iterator[None]:
        """Write the manifest into the folder of the training that runs inside the block.

        If the block raises a user error before anything was trained, the manifest and new
        folders are removed again. With several processes, rank 0 writes; their number is part
        of the fingerprint.

        Args:
            folder: folder of the training; created if it does not exist.

        Raises:
            RunFolderError: there is a manifest that is damaged or of another training.
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
            # Nothing but our own files: the training has not started, so leave no trace.
            if {path.name for path in folder.iterdir()} <= {TRAINING_MANIFEST, CONFIG, LOCK}:
                for name in (TRAINING_MANIFEST, CONFIG):
                    (folder / name).unlink(missing_ok=True)
                for place in absent:
                    place.rmdir()
            raise

    def _write(self, folder: Path) -> None:
        of = json.loads(json.dumps({**self.of, "number_of_processes": processes()}))
        known = read_training_manifest(folder)
        if known is not None:
            check_same(known.of, of, folder / TRAINING_MANIFEST)
        folder.mkdir(parents=True, exist_ok=True)
        record = {"command": self.command, "options": dict(self.options), "of": of}
        write_record(folder / TRAINING_MANIFEST, record | {"versions": versions()})


def read_training_manifest(folder: Path) -> TrainingManifest | None:
    """Read the manifest of a training; `None` if the folder has none.

    Raises:
        RunFolderError: the manifest is damaged.
    """
    path = folder / TRAINING_MANIFEST
    try:
        if not path.exists():
            return None
    except OSError:  # an invalid name; reading from it later reports that
        return None
    content = read_json(path)
    command, options, of = (content.get(name) for name in ("command", "options", "of"))
    options = content.get(_FORMER) if options is None else options
    if not (isinstance(command, str) and isinstance(options, dict) and isinstance(of, dict)):
        raise RunFolderError(f"{path} is damaged: restore it from a copy, or train again")
    return TrainingManifest(command, options, of)
