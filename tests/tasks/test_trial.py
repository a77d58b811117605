"""Networks of one task are refused for another task before anything runs."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from diswot.errors import NetworkError, SpaceError
from diswot.search import check_architecture, find_space
from diswot.tasks import find_task, try_network
from search_spaces import Signature, TensorSpec

TOKENS = TensorSpec("input_ids", (8,), "int64", high=50)
TEXTS = Signature((TOKENS, TensorSpec("attention_mask", (8,), "int64", high=2)), 3)
IMAGES = Signature((TensorSpec("images", (1, 16, 16)),), 3)


def data_of(task: str, signature: Signature) -> Any:
    return SimpleNamespace(task=find_task(task), signature=signature)


@pytest.mark.parametrize("space", ["s0", "autoformer", "nats-sss"])
def test_image_spaces_are_refused_for_texts(space: str) -> None:
    found = find_space(space, TEXTS)
    arch = found.sample(np.random.default_rng(0))
    match = r"takes \((x|images|input)\), but the task text gives input_ids 8, attention_mask 8: "
    with pytest.raises(NetworkError, match=f"{match}choose a network for this task"):
        check_architecture(found, arch, data_of("text", TEXTS))


def test_text_spaces_are_refused_for_images() -> None:
    found = find_space("text-encoder", IMAGES)
    match = "got images 1×16×16: these networks take tokens; fix the space, or choose one for the "
    with pytest.raises(SpaceError, match=f"{match}task images"):
        check_architecture(found, found.sample(np.random.default_rng(0)), data_of("images", IMAGES))


class Twice(nn.Module):
    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return inputs[0].flatten(1)[:, :3]


def test_networks_with_any_number_of_inputs_pass_the_trial() -> None:
    network, data = Twice(), data_of("landmarks", IMAGES)
    data.task = SimpleNamespace(name="any", outputs="numbers", reads=frozenset())
    try_network(network, IMAGES.example(2), data, who="student")
