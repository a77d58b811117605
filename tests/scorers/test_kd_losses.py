"""Distillation losses as scores."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import diswot
from diswot.losses import (
    at_loss,
    cc_loss,
    fitnet_loss,
    fsp_loss,
    ickd_loss,
    kd_loss,
    kdsvd_loss,
    nst_loss,
    pkt_loss,
    rkd_loss,
    sp_loss,
)
from diswot.networks import ActivationReader, ForwardPass
from diswot.scorers import find_scorer
from search_spaces import CifarResNet
from tests.scorers.probes import CLASSES, batch, probe_of, resnet, scored, teacher_for

Loss = Callable[[Any, Any], Tensor]
OF_LOGITS: dict[str, Loss] = {"kd": kd_loss}
OF_FEATURES: dict[str, Loss] = {"cc": cc_loss, "rkd": rkd_loss, "pkt": pkt_loss}
OF_LAST_MAP: dict[str, Loss] = {"sp": sp_loss, "ickd": ickd_loss}
OF_STAGES: dict[str, Loss] = {"at": at_loss, "nst": nst_loss, "fitnet": fitnet_loss}
OF_FLOWS: dict[str, Loss] = {"kdsvd": kdsvd_loss, "fsp": fsp_loss}
NAMES = [*OF_LOGITS, *OF_FEATURES, *OF_LAST_MAP, *OF_STAGES, *OF_FLOWS]
AVERAGE_CHANNELS = ("fitnet", "ickd", "kdsvd", "fsp")

each_name = pytest.mark.parametrize("name", NAMES)


class Layer(nn.Module):
    """A transformer block without attention that mixes tokens by their mean."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        mixed: Tensor = tokens + torch.relu(self.mlp(self.norm(tokens + tokens.mean(1, True))))
        return mixed


class Transformer(nn.Module):
    """A vision transformer with patches of 4 pixels, a class token and `depth` blocks."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.layers = nn.ModuleList(Layer(width) for _ in range(depth))
        self.head = nn.Linear(width, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).mT
        tokens = torch.cat([tokens.mean(1, True), tokens], dim=1)
        for layer in self.layers:
            tokens = layer(tokens)
        logits: Tensor = self.head(tokens[:, 0])
        return logits


def transformer(seed: int) -> Transformer:
    torch.manual_seed(seed)
    return Transformer(10, 4)


def wide(seed: int) -> CifarResNet:
    """Return a network with two stages of twice the width and resolution of a ResNet's last two."""
    torch.manual_seed(seed)
    return CifarResNet((1, 3), num_classes=CLASSES, widths=(4, 16, 32))


def score(student: nn.Module, teacher: nn.Module, name: str) -> float:
    return scored(student, teacher, batch(), name)[name]


@torch.no_grad()
def stage_outputs(network: CifarResNet) -> list[tuple[Tensor, Tensor]]:
    """Return the outputs of the first and the last block of every stage, by running them."""
    maps, found = network.train().stem(batch()[0]), []
    for stage in network.stages:
        assert isinstance(stage, nn.Sequential)
        outputs = []
        for block in stage:
            maps = block(maps)
            outputs.append(maps)
        found.append((outputs[0], outputs[-1]))
    return found


def halved(maps: Tensor, *, channels: int = 1) -> Tensor:
    """Return means over 2×2 positions and over `channels` neighboring channels."""
    b, c, h, w = maps.shape
    return maps.reshape(b, c // channels, channels, h // 2, 2, w // 2, 2).mean((2, 4, 6))


@each_name
def test_the_teacher_itself_has_the_best_score(name: str) -> None:
    assert score(resnet(2), resnet(2), name) == pytest.approx(0, abs=1e-6)
    for other in (resnet(1), resnet(3), wide(1), transformer(1)):
        assert score(other, resnet(2), name) < -1e-6


@pytest.mark.parametrize("name", [*OF_LOGITS, *OF_FEATURES])
def test_scores_of_logits_equal_the_negative_loss(name: str) -> None:
    student, teacher = wide(1), resnet(2)
    with torch.no_grad():
        heads = []
        for network in (student, teacher):
            features = stage_outputs(network)[-1][1].mean(dim=(2, 3))
            heads.append(network.classifier(features) if name in OF_LOGITS else features)
    expected = -float((OF_LOGITS | OF_FEATURES)[name](*heads))
    assert score(student, teacher, name) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", [*OF_LAST_MAP, *OF_STAGES, *OF_FLOWS])
def test_scores_of_equal_shapes_equal_the_negative_mean_loss(name: str) -> None:
    ours, theirs = stage_outputs(resnet(1)), stage_outputs(resnet(2))
    if name in OF_FLOWS:
        losses = [OF_FLOWS[name](s, t) for s, t in zip(ours, theirs, strict=True)]
    else:
        loss = (OF_LAST_MAP | OF_STAGES)[name]
        losses = [loss(s[1], t[1]) for s, t in zip(ours, theirs, strict=True)]
    if name == "fitnet":
        losses = losses[1:2]
    elif name in OF_LAST_MAP:
        losses = losses[2:]
    expected = -float(torch.stack(losses).mean())
    assert score(resnet(1), resnet(2), name) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", ["at", "nst"])
def test_stages_are_paired_from_the_last_and_the_larger_pooled(name: str) -> None:
    student, teacher = wide(1), resnet(2)
    ours = [halved(last) for _, last in stage_outputs(student)]
    theirs = [last for _, last in stage_outputs(teacher)][1:]
    losses = [OF_STAGES[name](s, t) for s, t in zip(ours, theirs, strict=True)]
    expected = -float(torch.stack(losses).mean())
    assert score(student, teacher, name) == pytest.approx(expected, rel=1e-3)
    assert score(teacher, student, name) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", [*OF_FLOWS, "ickd"])
def test_the_wider_map_is_averaged_over_neighboring_channels(name: str) -> None:
    student, teacher = wide(1), resnet(2)
    ours = [
        (halved(first, channels=2), halved(last, channels=2))
        for first, last in stage_outputs(student)
    ]
    theirs = stage_outputs(teacher)[1:]
    if name == "ickd":
        expected = -float(ickd_loss(ours[-1][1], theirs[-1][1]))
    else:
        losses = [OF_FLOWS[name](s, t) for s, t in zip(ours, theirs, strict=True)]
        expected = -float(torch.stack(losses).mean())
    assert score(student, teacher, name) == pytest.approx(expected, rel=1e-3)
    assert "averaged" in find_scorer(name).card.supports


@each_name
def test_transformers_and_convnets_can_be_compared(name: str) -> None:
    for student, teacher in ((transformer(1), resnet(2)), (resnet(1), transformer(2))):
        value = score(student, teacher, name)
        assert math.isfinite(value)
        assert value < -1e-6
    assert score(transformer(2), transformer(2), name) == pytest.approx(0, abs=1e-6)


@each_name
def test_teacher_statistics_are_cached_for_the_last_widths(name: str) -> None:
    teacher = teacher_for(resnet(2), batch(), name)
    scorer = find_scorer(name)
    kept = []
    for student in (resnet(1), resnet(3), Narrow(1), Narrow(3)):
        scorer(probe_of(student, batch(), name), teacher)
        kept.append(dict(teacher._memory))
    assert kept[0]
    assert all(each.keys() == kept[0].keys() for each in kept)
    assert all(each[key] is kept[0][key] for each in kept for key in each)


class Narrow(CifarResNet):
    """A ResNet with the same resolutions and fewer channels."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        super().__init__((1, 1, 1), num_classes=CLASSES, widths=(2, 2, 3, 5))


def test_relation_gram_equals_sp() -> None:
    assert score(wide(1), resnet(2), "relation_gram") == score(wide(1), resnet(2), "sp")


def test_all_scores_share_one_forward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = []
    forward = ActivationReader.forward

    def counted(reader: ActivationReader, images: Tensor) -> ForwardPass:
        networks.append(reader)
        return forward(reader, images)

    monkeypatch.setattr(ActivationReader, "forward", counted)
    teacher = teacher_for(resnet(2), batch(), "+".join(NAMES))
    terms = find_scorer("+".join(NAMES))(probe_of(resnet(1), batch(), "+".join(NAMES)), teacher)
    assert sorted(terms) == sorted(NAMES)
    assert len(networks) == 2  # the teacher and the student
    assert terms == {name: pytest.approx(score(resnet(1), resnet(2), name)) for name in NAMES}


def test_architectures_are_scored_by_name() -> None:
    found = diswot.score(
        ["1-1-1", "3-1-1"], "resnet20", space="s0", scorer="+".join(NAMES), repeats=1, batch_size=8
    )
    for candidate in found:
        assert candidate.failure is None
        assert all(value < 0 for name in NAMES for value in candidate.terms[name])
