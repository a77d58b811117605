"""The checkpoint of a training: everything needed to resume it, in one file."""

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
    """Progress and results of a training so far.

    Attributes:
        epoch: number of finished epochs.
        step: number of finished steps in the current epoch.
        sums: for each player, sums of its loss and terms over these steps.
        history: metrics of the finished epochs.
        best_epoch: number of the best epoch, from 1; 0 before the first epoch has ended.
        best_val: measure on the validation split at the best epoch; `None` before the first
            epoch has ended.
        best: state dict of the best epoch.
        seconds: training time so far, without interruptions.
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
    """Write a checkpoint atomically: after a kill, either the old or the new one is complete.

    Args:
        folder: folder of the training; created if it does not exist.
        state: progress and results so far.
        of: the fingerprint of the training.
        parts: state dicts of method, optimizers, moving average and gradient scaler.
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
    """Read the checkpoint in a folder without executing code from it.

    Args:
        folder: folder of the training.
        of: the fingerprint of the training, which must agree.

    Returns:
        State and state dicts; `None` if there is no checkpoint.

    Raises:
        RunFolderError: it is damaged, or of another training; the message says what differs.
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
