"""Checkpoint files → networks; nothing in a file is executed."""

import pickle
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from diswot.errors import CheckpointError, first_line
from diswot.teachers._as_trained import AsTrained

_NESTED = ("state_dict", "model", "model_state_dict", "net")
_PREFIXES = ("module.", "model.", "student.", "network.", "_orig_mod.")


def load_checkpoint(network: nn.Module, path: str | Path) -> nn.Module:
    """Load a checkpoint file into `network` and return it.

    Nothing in the file is executed: `.pt` and `.pth` are read with `weights_only`. What
    stands before all names (`module.`, `model.`, `student.`, `network.`) is left out
    where it does not stand before those of the network.

    Raises:
        CheckpointError: the file is missing, damaged, hostile or of another network.
    """
    target = network.network if isinstance(network, AsTrained) else network
    expected = target.state_dict()
    state = _without_prefixes(_state(Path(path)), expected)
    for name, tensor in expected.items():
        found = state.get(name)
        if found is None or found.shape != tensor.shape:
            got = "nothing" if found is None else f"shape {tuple(found.shape)}"
            raise CheckpointError(
                f"{path} is of another network: expected {name} of shape {tuple(tensor.shape)}, "
                f"but got {got}; give the checkpoint of this network"
            )
    if extra := sorted(state.keys() - expected.keys()):
        raise CheckpointError(
            f"{path} is of another network: it has {extra[0]}, which this network has not; "
            "give the checkpoint of this network"
        )
    target.load_state_dict(state)
    return network


def _without_prefixes(state: dict[str, Tensor], expected: Collection[str]) -> dict[str, Tensor]:
    """Leave out what stands before all names of a state dict, but not before those expected."""
    for prefix in _PREFIXES:
        shared = all(name.startswith(prefix) for name in state)
        if state and shared and not all(name.startswith(prefix) for name in expected):
            shorter = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
            return _without_prefixes(shorter, expected)
    return state


def _state(path: Path) -> dict[str, Tensor]:
    try:
        content = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no checkpoint {path}: check the path") from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} was refused: it holds more than tensors, or is damaged, and nothing in a "
            "checkpoint is executed; save the state dict alone, best as .safetensors"
        ) from error
    except Exception as error:  # a damaged file can make the readers raise anything
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint ({first_line(error)}): copy it again"
        ) from error
    return _unwrapped(content, path)


def _unwrapped(content: Any, path: Path) -> dict[str, Tensor]:
    for key in _NESTED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise CheckpointError(f"{path} holds no state dict of tensors: save network.state_dict()")
    return dict(content)
