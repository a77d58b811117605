"""Teacher sources of a task: built-in networks, libraries, and user-defined teachers."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diswot.errors import CheckpointError, OptionError, TeacherError, UnknownNameError
from diswot.networks.copies import copied
from diswot.teachers import BuiltIn, Library, OwnView, Teacher, TeacherSources, given
from search_spaces import Signature, TensorSpec

SIGNATURE = Signature((TensorSpec("points", (4,)),), 3)
OFFERED = {"signature": SIGNATURE, "hidden": 5}


def shallow(signature: Signature) -> nn.Module:
    return nn.Linear(4, signature.outputs)


def deep(hidden: int, signature: Signature) -> nn.Module:
    return nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, signature.outputs))


def no_network() -> int:
    return 3


def ask(place: str) -> None:
    if place == "gone":
        raise TeacherError("teacher shelf:gone: there is none")


def shelved(place: str, signature: Signature, *, pretrained: bool) -> Teacher:
    network = shallow(signature)
    weights = partial(copied, network) if pretrained else None
    return Teacher(f"shelf:{place}", partial(shallow, signature), weights)


SOURCES = TeacherSources(
    {"shallow": BuiltIn("one layer", shallow), "deep": BuiltIn("two layers", deep)},
    {"shelf": Library("NAME", "a network from the shelf", ask, shelved)},
)


def outputs(network: nn.Module) -> Tensor:
    return network(torch.ones(2, 4))  # type: ignore[no-any-return]


def test_a_built_in_network_gets_its_arguments() -> None:
    for name in ("shallow", "deep"):
        teacher = SOURCES.find(name, OFFERED)
        assert teacher.name == name
        assert teacher.weights is None
        first, again = (outputs(teacher.initialized(seed=1)) for _ in range(2))
        assert first.shape == (2, 3)
        assert torch.equal(first, again)


@pytest.mark.parametrize("teacher", [f"{__name__}:deep", deep(5, SIGNATURE)])
def test_networks_and_callables_are_accepted(teacher: Any) -> None:
    found = SOURCES.find(teacher, OFFERED)
    assert found.weights is not None
    assert torch.equal(outputs(found.weights()), outputs(found.weights()))
    assert not torch.equal(outputs(found.weights()), outputs(found.initialized(seed=3)))


def test_a_library_teacher_uses_its_weights_or_a_checkpoint(tmp_path: Path) -> None:
    assert SOURCES.find("shelf:one", OFFERED).weights is not None
    network = shallow(SIGNATURE)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    found = SOURCES.find("shelf:one", OFFERED, weights=tmp_path / "weights.safetensors")
    assert found.weights is not None
    assert torch.equal(outputs(found.weights()), outputs(network))


def test_a_teacher_is_returned_unchanged() -> None:
    teacher = given(shallow(SIGNATURE), "mine")
    assert SOURCES.find(teacher, OFFERED) is teacher


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    save_file(shallow(SIGNATURE).state_dict(), tmp_path / "weights.safetensors")
    with pytest.raises(CheckpointError, match=r"of another network: expected 0\.weight"):
        SOURCES.find("deep", OFFERED, weights=tmp_path / "weights.safetensors")


@pytest.mark.parametrize(
    ("teacher", "kind", "words"),
    [
        ("depe", UnknownNameError, "deep"),
        ("x", UnknownNameError, "or give shelf:NAME or package.module:callable"),
        ("shelf:gone", TeacherError, "there is none"),
        ("nowhere.at_all:net", OptionError, "nowhere"),
        (3, OptionError, "Expected a teacher's name or a torch.nn.Module, but got 3"),
    ],
)
def test_an_object_that_is_not_a_teacher_is_refused(
    teacher: Any, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        SOURCES.check(teacher)


def test_a_callable_that_returns_no_network_is_refused() -> None:
    with pytest.raises(TeacherError, match=r"expected it to return a torch\.nn\.Module"):
        SOURCES.find(f"{__name__}:no_network", OFFERED)


def test_inapplicable_epochs_and_states_are_refused() -> None:
    SOURCES.check("deep", epochs=3)
    with pytest.raises(OptionError, match="--teacher-epochs 3 is for a teacher without weights"):
        SOURCES.check("shelf:one", epochs=3)
    with pytest.raises(TeacherError, match="deep has no trained weights"):
        SOURCES.check("deep", state="trained")


def test_names_and_forms_are_listed_with_a_description() -> None:
    assert SOURCES.summaries() == {
        "shallow": "one layer",
        "deep": "two layers",
        "shelf:NAME": "a network from the shelf",
        "package.module:callable": "a callable of your own that returns a torch.nn.Module",
    }
    assert "deep" in SOURCES
    assert "shelf:x" in SOURCES
    assert f"{__name__}:deep" not in SOURCES


class Scaled(OwnView):
    """Rescales the inputs of a network."""

    def __init__(self, network: nn.Module, unit: float) -> None:
        super().__init__(network)
        self.unit = unit

    def forward(self, points: Tensor) -> Any:
        return self.network(self.unit * points)

    def extra_repr(self) -> str:
        return f"unit={self.unit}"


def test_the_digest_covers_the_preprocessing() -> None:
    network = shallow(SIGNATURE)
    digests = {SOURCES.find(Scaled(network, unit)).digest() for unit in (1.0, 1.0, 2.0)}
    assert len(digests) == 2
