"""What a training needs to resume after it was stopped, in one file."""

import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diswot.errors import RunFolderError, first_line
from diswot.runs import check_file, write_with_checksum
from diswot.runs.folder import replace_file
from diswot.tasks import Measure
from diswot.training._fingerprint import check_same
from diswot.training._metrics import Epoch

CHECKPOINT = "checkpoint.pt"


@dataclass
class TrainerState:
    """How far a training has come.

    Attributes:
        epoch: epochs that ended.
        step: steps of the next one that are done.
        sums: of each player, what its loss and terms sum up to over those steps.
        history: what was measured of the epochs.
        best_epoch: whose weights are kept, from 1; 0 before the first ended.
        best_val: measure on the validation split after it; `None` before the first ended.
        best: its weights.
        seconds: how long it took so far.
    """

    epoch: int = 0
    step: int = 0
    sums: dict[str, dict[str, float]] = field(default_factory=dict)
    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    best_val: Measure | None = None
    best: dict[str, Tensor] = field(default_factory=dict)
    seconds: float = 0.0


def save_checkpoint(
    folder: Path, state: TrainerState, *, of: Mapping[str, Any], parts: Mapping[str, Any]
) -> None:
    """Write a checkpoint, which is either the old one or the whole new one.

    Args:
        folder: where it goes; made where it does not exist.
        state: how far the training has come.
        of: the fingerprint of the training.
        parts: state dicts of all that changes while training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = vars(state) | {
        "history": [asdict(epoch) for epoch in state.history],
        "best_val": None if state.best_val is None else state.best_val.to_json(),
    }
    content = {"of": dict(of), "state": plain, "parts": dict(parts)}
    replace_file(
        folder / CHECKPOINT,
        lambda partial: write_with_checksum(partial, lambda file: torch.save(content, file)),
    )


def load_checkpoint(
    folder: Path, *, of: Mapping[str, Any]
) -> tuple[TrainerState, dict[str, Any]] | None:
    """Read the checkpoint in a folder, if there is one; nothing in it is executed.

    Raises:
        RunFolderError: it is damaged, or of another training; says what differs.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    content = _read(path)
    try:
        known, plain, parts = (dict(content[name]) for name in ("of", "state", "parts"))
        best = plain["best_val"]
        state = TrainerState(
            **plain
            | {
                "history": [Epoch(**row) for row in plain["history"]],
                "best_val": None if best is None else Measure.from_json(best),
            }
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, repr(error)) from error
    check_same(known, of, path)
    return state, parts


def _read(path: Path) -> Any:
    try:
        check_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _damaged(path, "it holds more than tensors and numbers") from error
    except Exception as error:  # a damaged file can make the reader raise anything
        raise _damaged(path, first_line(error)) from error


def _damaged(path: Path, why: str) -> RunFolderError:
    return RunFolderError(f"{path} is damaged ({why}): remove it, and the training starts again")
