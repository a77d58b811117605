"""Training a stack of networks equals training every network alone."""

import pytest
import torch
from torch import nn

from benchmarks.stacked_training import Examples, Stack, fit
from diswot.losses import kd_loss
from diswot.tasks.images import load_data
from diswot.training import Recipe
from search_spaces import ThinSpace

NAME = "stem=3,expansion=2,width1=4,depth1=2,kernel1=3,width2=8,depth2=1,kernel2=5"


def networks(count: int) -> list[nn.Module]:
    space = ThinSpace(in_channels=1)
    torch.manual_seed(0)
    return [space.build(space.from_string(NAME), 10).train() for _ in range(count)]


def test_a_stack_computes_the_outputs_of_its_networks() -> None:
    alone, images = networks(3), torch.randn(3, 4, 1, 16, 16)
    together = Stack(alone)(images)
    for network, own, found in zip(alone, images, together, strict=True):
        torch.testing.assert_close(found, network(own))


def test_training_a_stack_equals_training_each_network_alone() -> None:
    data, recipe = load_data("digits"), Recipe(1, batch_size=150)
    generator = torch.Generator().manual_seed(0)
    images = data.normalize(data.train.images.float())
    steps = [
        Examples(images[part], data.train.labels[part], torch.randn(150, 10, generator=generator))
        for part in (slice(150), slice(150, 300))
    ]
    first, second = networks(2)
    found = fit(Stack([first, second]), [steps, steps], torch.tensor([False, True]), recipe, data)
    val = data.normalize(data.val.images.float())
    for network, soft, each in zip((first, second), (0.0, 0.9), found, strict=True):
        optimizer = torch.optim.SGD(network.parameters(), 0.05, 0.9, weight_decay=5e-4)
        for place, step in enumerate(steps):
            optimizer.param_groups[0]["lr"] = recipe.rate((place + 0.5) / 2)
            optimizer.zero_grad()
            output = network(step.images)
            hard = nn.functional.cross_entropy(output, step.labels)
            loss = (1 - soft) * hard + soft * kd_loss(output, step.logits, temperature=4.0)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        right = (network.eval()(val).argmax(1) == data.val.labels).float().mean()
        assert each.curve[0] == pytest.approx(100 * float(right), abs=1.01)


def test_an_unsupported_module_is_refused() -> None:
    with pytest.raises(TypeError, match="a GroupNorm cannot be stacked"):
        Stack([nn.Sequential(nn.GroupNorm(1, 2)) for _ in range(2)])
