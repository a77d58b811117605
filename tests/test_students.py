"""The origin of a student is preserved by copies, files, wrappers and casts."""

import copy
import io
import pickle
from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from diswot.networks import unwrapped
from diswot.students import build_student, origin_of
from diswot.tasks.images import load_data
from search_spaces import ResNetDepthSpace

SPACE = ResNetDepthSpace((1, 2), in_channels=1)
IMAGES = load_data("digits").signature


def student(seed: int | None = 3) -> nn.Module:
    return build_student(SPACE, SPACE.from_string("1-1-1"), IMAGES, seed=seed)


def through_a_file(network: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(network, file)
    file.seek(0)
    loaded: nn.Module = torch.load(file, weights_only=False)
    return loaded


def compiled(network: nn.Module) -> nn.Module:
    return cast(nn.Module, torch.compile(network))


WAYS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "deep copy": copy.deepcopy,
    "shallow copy": copy.copy,
    "pickled": lambda network: pickle.loads(pickle.dumps(network)),
    "saved": through_a_file,
    "compiled": compiled,
    "compiled, then copied": lambda network: copy.deepcopy(compiled(network)),
    "moving average": AveragedModel,
    "data parallel": nn.DataParallel,
    "wrapped twice": lambda network: compiled(AveragedModel(network)),
    "another precision": lambda network: network.to(torch.float64),
    "without gradients": lambda network: network.requires_grad_(False).eval(),
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_origin_is_preserved_by_copies(way: str) -> None:
    origin = origin_of(WAYS[way](student()))
    assert origin is not None
    assert origin == origin_of(student())
    assert (origin.architecture, origin.signature, origin.seed) == ("1-1-1", IMAGES, 3)
    assert origin.space == "search_spaces.resnet_depth:ResNetDepthSpace"


def test_the_origin_is_not_in_the_state_dict() -> None:
    plain = SPACE.build(SPACE.from_string("1-1-1"), 10)
    assert student().state_dict().keys() == plain.state_dict().keys()
    assert repr(student()) == repr(plain)


def test_the_weights_depend_only_on_the_seed() -> None:
    first, second = student().state_dict(), student().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    torch.manual_seed(0)
    drawn = student(None)
    before = torch.get_rng_state()
    student()
    assert torch.equal(before, torch.get_rng_state())
    assert origin_of(drawn) is not None


def test_a_network_built_elsewhere_has_no_origin() -> None:
    assert origin_of(nn.Linear(2, 2)) is None
    network = nn.Sequential(nn.Linear(2, 2))
    assert unwrapped(network) is network
