"""Names → teachers: networks that can be had at random initialisation and with their weights."""

import copy
import hashlib
import inspect
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from diswot.errors import CheckpointError, TeacherError, UnknownNameError, first_line
from diswot.references import is_reference, resolve
from diswot.seeding import torch_seed
from search_spaces import CifarResNet

TEACHERS: dict[str, int] = {f"resnet{6 * blocks + 2}": blocks for blocks in (3, 5, 7, 9, 18)}
"""Built-in teachers: CIFAR residual networks and their blocks per stage."""

_NESTED = ("state_dict", "model", "model_state_dict", "net")


@dataclass(frozen=True)
class Teacher:
    """A network to distil from.

    Attributes:
        name: what it is called in manifests.
        build: makes the network, initialised from torch's global generator.
        weights: makes the network with its weights; `None` where there are none yet.
    """

    name: str
    build: Callable[[], nn.Module]
    weights: Callable[[], nn.Module] | None

    def initialised(self, seed: int) -> nn.Module:
        """Return the network at the random initialisation that `seed` gives."""
        with torch_seed(seed):
            return self.build()

    def digest(self) -> str:
        """SHA-256 of its parameters' names and shapes, and of its weights where it has any."""
        network = self.weights() if self.weights is not None else self.initialised(0)
        content = hashlib.sha256(self.name.encode())
        for name, tensor in network.state_dict().items():
            content.update(f"{name}{tuple(tensor.shape)}".encode())
            if self.weights is not None:
                content.update(tensor.cpu().contiguous().view(-1).view(torch.uint8).numpy())
        return content.hexdigest()


def find_teacher(
    teacher: str | nn.Module | Teacher,
    *,
    num_classes: int,
    in_channels: int,
    weights: str | Path | None = None,
) -> Teacher:
    """Return the teacher that is meant.

    Args:
        teacher: a built-in name; `package.module:callable`, called with `num_classes`
            and `in_channels` where it takes them; or a network. The last two are
            taken to be trained as they come. A `Teacher` is returned as it is.
        num_classes: classes of the data.
        in_channels: channels of the images.
        weights: a checkpoint (`.safetensors`, `.pt` or `.pth`) to load into it.

    Raises:
        UnknownNameError: no teacher has that name.
        TeacherError: it cannot be built.
        CheckpointError: the checkpoint is missing, damaged, hostile or of another network.

    Examples:
        >>> teacher = find_teacher("resnet20", num_classes=10, in_channels=1)
        >>> sum(p.numel() for p in teacher.initialised(seed=0).parameters())
        272186
    """
    if isinstance(teacher, Teacher):
        return teacher
    as_given, name = _factory(teacher, num_classes, in_channels)
    with torch_seed(0):
        network = as_given()  # what cannot be built is found out before anything is written
    if weights is not None:
        load_checkpoint(network, weights)
    built_in = isinstance(teacher, str) and not is_reference(teacher)
    build = as_given if built_in else partial(_reinitialised, network)
    untrained = built_in and weights is None
    return Teacher(name, build, None if untrained else partial(copy.deepcopy, network))


def _factory(
    teacher: str | nn.Module, num_classes: int, in_channels: int
) -> tuple[Callable[[], nn.Module], str]:
    if isinstance(teacher, nn.Module):
        return partial(copy.deepcopy, teacher), type(teacher).__name__
    if is_reference(teacher):
        return partial(_called, teacher, num_classes, in_channels), teacher
    return partial(_built_in, teacher, num_classes, in_channels), teacher


def load_checkpoint(network: nn.Module, path: str | Path) -> nn.Module:
    """Load a checkpoint file into `network` and return it.

    Nothing in the file is executed: `.pt` and `.pth` are read with `weights_only`.

    Raises:
        CheckpointError: the file is missing, damaged, hostile or of another network.
    """
    state = _state(Path(path))
    expected = network.state_dict()
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
    network.load_state_dict(state)
    return network


def _built_in(name: str, num_classes: int, in_channels: int) -> nn.Module:
    if name not in TEACHERS:
        raise UnknownNameError("teacher", name, TEACHERS, also=" (or give package.module:callable)")
    return CifarResNet((TEACHERS[name],) * 3, num_classes=num_classes, in_channels=in_channels)


def _called(reference: str, num_classes: int, in_channels: int) -> nn.Module:
    factory = resolve(reference, kind="teacher")
    offered = {"num_classes": num_classes, "in_channels": in_channels}
    try:
        taken = inspect.signature(factory).parameters
        network = factory(**{name: value for name, value in offered.items() if name in taken})
    except Exception as error:
        raise TeacherError(
            f"teacher {reference}: calling it raised {type(error).__name__}: "
            f"{first_line(error)}; mend the callable"
        ) from error
    if not isinstance(network, nn.Module):
        raise TeacherError(
            f"teacher {reference}: expected it to return a torch.nn.Module, "
            f"but got {type(network).__name__}"
        )
    return network


def _reinitialised(network: nn.Module) -> nn.Module:
    """Return a copy with every parameter drawn anew by its module's own `reset_parameters`."""
    fresh = copy.deepcopy(network)
    for name, module in fresh.named_modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
        elif any(True for _ in module.parameters(recurse=False)):
            raise TeacherError(
                f"the teacher's module {name or type(module).__name__!r} has parameters but no "
                "reset_parameters, so it cannot be scored at random initialisation: "
                "use the trained state (--teacher-state trained)"
            )
    return fresh


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
    return {name.removeprefix("module."): value for name, value in content.items()}
