"""What a command that trains was told, kept in its folder so that it can be resumed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diswot.devices import is_first, processes
from diswot.distillation._identity import check_same
from diswot.errors import RunFolderError
from diswot.run_folder import read_json, versions, write_json

MANIFEST = "training.json"


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

    def keep(self, folder: Path) -> None:
        """Write it into the folder of the training.

        Of several processes the first writes; their number is part of what must be the same.

        Raises:
            RunFolderError: the manifest there is damaged, or of another training.
        """
        if not is_first():
            return
        of = json.loads(json.dumps({**self.of, "processes": processes()}))
        known = read_training_manifest(folder)
        if known is not None:
            check_same(known.of, of, folder / MANIFEST)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / MANIFEST, {**asdict(self), "of": of, "versions": versions()})


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
