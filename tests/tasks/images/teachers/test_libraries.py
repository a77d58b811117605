"""Teachers from timm and torchvision where installed, and the error where not."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from diswot.errors import CheckpointError, MissingExtraError, TeacherError
from diswot.tasks.images import ImageSpec
from diswot.tasks.images.teachers import AsTrained, find_teacher
from diswot.teachers import Teacher
from tests.cli.conftest import only_line
from tests.conftest import CommandLine

SPEC = ImageSpec((3, 32, 32), 5, (0.5, 0.4, 0.45), (0.2, 0.25, 0.22), 255.0)
SMALL = {"timm": "resnet10t", "torchvision": "resnet18"}


def absent(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == library:
            monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize("library", SMALL)
def test_a_missing_library_is_a_one_line_error(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    absent(library, monkeypatch)
    monkeypatch.setitem(sys.modules, library, None)  # importing it now raises ImportError
    line = only_line(cli("score", "1-1-1", "--teacher", f"{library}:{SMALL[library]}"))
    assert f"pip install 'diswot[{library}]'" in line


@pytest.mark.parametrize("library", SMALL)
def test_an_incompatible_library_is_reported_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    absent(library, monkeypatch)
    (tmp_path / library).mkdir()
    (tmp_path / library / "__init__.py").write_text(
        "raise RuntimeError('operator nms does not exist\\nin this build')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        MissingExtraError, match=r"cannot be imported here \(RuntimeError: operator nms"
    ) as raised:
        find_teacher(f"{library}:{SMALL[library]}", SPEC)
    assert "\n" not in str(raised.value)


@pytest.fixture(params=sorted(SMALL))
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a library, or skip the test if it cannot be imported."""
    name: str = request.param
    absent(name, monkeypatch)  # other tests replace the libraries
    try:
        importlib.import_module(name)
    except Exception as error:  # noqa: BLE001  (builds for another torch raise anything)
        pytest.skip(f"{name} cannot be imported here: {error}")
    return name


def checkpoint_of(library: str, path: Path) -> dict[str, Any]:
    """Write the weights of a library's network for the classes of the data."""
    torch.manual_seed(1)
    makers = {"timm": ("timm", "create_model"), "torchvision": ("torchvision.models", "get_model")}
    module, maker = makers[library]
    make = getattr(importlib.import_module(module), maker)
    state: dict[str, Any] = make(SMALL[library], num_classes=SPEC.num_classes).state_dict()
    save_file(state, path)
    return state


def found(library: str, path: Path) -> Teacher:
    return find_teacher(f"{library}:{SMALL[library]}", SPEC, weights=path)


def test_a_checkpoint_uses_the_preprocessing_of_its_library(library: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    state = checkpoint_of(library, path)
    teacher = found(library, path)
    assert teacher.weights is not None
    network, fresh = teacher.weights(), teacher.initialized(0)
    assert isinstance(network, AsTrained)
    assert network.mean == (0.485, 0.456, 0.406)
    assert network.crop[0] in (160, 176, 224)
    assert all(torch.equal(network.network.state_dict()[name], state[name]) for name in state)
    assert fresh(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


def test_a_checkpoint_of_another_network_is_refused(library: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    state = checkpoint_of(library, path)
    save_file({name: state[name] for name in list(state)[1:]}, path)
    with pytest.raises(CheckpointError, match="but got nothing"):
        found(library, path)


def test_an_unknown_network_is_a_one_line_error(library: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    checkpoint_of(library, path)
    with pytest.raises(TeacherError, match="cannot be made") as raised:
        find_teacher(f"{library}:no_such_network", SPEC, weights=path)
    assert "\n" not in str(raised.value)
