"""Activations that terms read from two networks, against activations computed by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from diswot.errors import NetworkError, OptionError
from diswot.losses import parse_objective
from search_spaces import CifarResNet
from tests.losses import test_losses as equations
from tests.losses.networks import (
    BATCH,
    CLASSES,
    EXAMPLES,
    IMAGES,
    LABELS,
    activations,
    built,
    residual,
    transformer,
    value,
)

Array = equations.Array


class ByHand:
    """Intermediate outputs of a residual network, module by module, in double precision."""

    def __init__(self, network: CifarResNet) -> None:
        self.blocks: list[list[Array]] = []
        with torch.no_grad():
            maps = network.stem(EXAMPLES)
            for stage in network.stages:
                outputs = []
                assert isinstance(stage, nn.Sequential)
                for block in stage:
                    maps = block(maps)
                    outputs.append(maps.double().numpy())
                self.blocks.append(outputs)
            features = maps.mean(dim=(2, 3))
            self.features = features.double().numpy()
            self.output = network(EXAMPLES).double().numpy()

    @property
    def last(self) -> list[Array]:
        return [stage[-1] for stage in self.blocks]

    @property
    def flows(self) -> list[tuple[Array, Array]]:
        return [(stage[0], stage[-1]) for stage in self.blocks]


def over(equation: Callable[[Any, Any], float], ours: list[Any], theirs: list[Any]) -> float:
    return sum(equation(s, t) for s, t in zip(ours, theirs, strict=True))


def halved(maps: Array) -> Array:
    images, width, side, _ = maps.shape
    return np.asarray(maps.reshape(images, width, side // 2, 2, side // 2, 2).mean(axis=(3, 5)))


def cross_entropy(logits: Array) -> float:
    rows = zip(logits, LABELS.tolist(), strict=True)
    return -sum(float(np.log(equations.softmax(row)[label])) for row, label in rows) / IMAGES


def flow_of_the_mean(ours: tuple[Array, Array], theirs: tuple[Array, Array]) -> float:
    first, last = theirs
    return float(equations.fsp(ours, theirs) / (first.shape[1] * last.shape[1]))


EXPECTED: dict[str, Callable[[ByHand, ByHand], float]] = {
    "ce": lambda s, _: cross_entropy(s.output),
    "kd": lambda s, t: equations.kd(s.output, t.output),
    "kd(T=2)": lambda s, t: equations.kd(2 * s.output, 2 * t.output) / 4,
    "cc": lambda s, t: equations.cc(s.features, t.features),
    "rkd": lambda s, t: equations.rkd(s.features, t.features),
    "pkt": lambda s, t: equations.pkt(s.features, t.features),
    "sp": lambda s, t: equations.sp(s.last[2], t.last[2]),
    "ickd": lambda s, t: equations.ickd(s.last[2], t.last[2]),
    "fitnet": lambda s, t: equations.fitnet(s.last[1], t.last[1]),
    "at": lambda s, t: over(equations.at, s.last, t.last),
    "nst": lambda s, t: over(equations.nst, s.last, t.last),
    "kdsvd": lambda s, t: over(equations.kdsvd, s.flows, t.flows),
    "fsp": lambda s, t: over(flow_of_the_mean, s.flows, t.flows),
    "at(student='stages.0.1', teacher=['stages.0.0'])": lambda s, t: equations.at(
        s.blocks[0][1], t.blocks[0][0]
    ),
    "sp(student='stages.1', teacher='stages.0')": lambda s, t: equations.sp(
        s.last[1], halved(t.last[0])
    ),
    "sp(teacher='stages.1.0.relu')": lambda s, t: equations.sp(s.last[2], halved(t.blocks[1][0])),
}


@pytest.mark.parametrize("loss", EXPECTED)
def test_a_term_reads_the_activations_on_its_card(loss: str) -> None:
    student, teacher = (residual(seed, 4, 4, 4, depths=(2, 1, 2)) for seed in (5, 6))
    expected = EXPECTED[loss](ByHand(student), ByHand(teacher))
    found = value(built(f"1*{loss}", student, teacher), student, teacher)
    assert float(found.total.detach()) == pytest.approx(expected, rel=1e-3, abs=1e-7)
    assert list(found.terms) == [loss]


def test_the_total_is_the_weighted_sum_of_the_terms() -> None:
    student, teacher = residual(1, 4, 4, 4), residual(2, 4, 4, 4)
    plain_values = value(built("1*ce + 1*kd + 1*at", student, teacher), student, teacher).terms
    found = value(built("0.5*ce + kd + at", student, teacher), student, teacher)
    weights = {"ce": 0.5, "kd": 0.9, "at": 1000}
    for name, weight in weights.items():
        torch.testing.assert_close(found.terms[name], weight * plain_values[name])
        assert not found.terms[name].requires_grad
    torch.testing.assert_close(found.total.detach(), torch.stack([*found.terms.values()]).sum())


def test_a_loss_of_only_the_labels_needs_no_teacher() -> None:
    student = residual(1, 4, 4, 4)
    criterion = built("ce", student, None)
    assert not parse_objective("alone").needs_teacher
    assert float(value(criterion, student, None).total.detach()) > 0
    with pytest.raises(OptionError, match="needs a teacher, but got none"):
        built("ce + kd", student, None)


def test_targets_can_be_label_smoothing_probabilities() -> None:
    student = residual(1, 4, 4, 4)
    with torch.no_grad():
        smoothed = torch.nn.functional.cross_entropy(student(EXAMPLES), LABELS, label_smoothing=0.2)
    batch = replace(BATCH, targets=0.8 * BATCH.targets + 0.2 / CLASSES)
    with torch.no_grad():
        found = built("ce", student, None)(activations(student), None, batch)
    torch.testing.assert_close(found.total, smoothed)


def test_projections_are_added_only_if_widths_differ() -> None:
    student = residual(1, 4, 6, 8)
    same, wider = residual(2, 4, 6, 8), residual(2, 4, 12, 8)
    assert not list(built("fitnet + ickd + fsp + at", student, same).parameters())
    (projection,) = built("fitnet + at", student, wider).parameters()
    assert projection.shape == (12, 6, 1, 1)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (
            "at(student='layer1', teacher='stages.0')",
            "the student has no module 'layer1' that returns a feature map or tokens: there are ",
        ),
        ("sp(teacher='stages.9')", r"the teacher has no module 'stages.9'.*stages\.0 \(4×16×16\)"),
        ("sp(teacher='head')", "the teacher has no module 'head' that returns a feature map"),
        ("at(student=['stages.0', 'stages.1'], teacher='stages.0')", "name as many of both"),
        ("sp(student=['stages.0', 'stages.1'])", "2 taps of the student cannot be paired with 1"),
        ("fsp(student='stages.0')", "a flow leads from one tap to the next"),
    ],
)
def test_invalid_taps_are_refused(loss: str, expected: str) -> None:
    with pytest.raises((NetworkError, OptionError), match=expected) as caught:
        built(f"ce + {loss}", residual(1, 4, 4, 4), residual(2, 4, 4, 4))
    message, *where = str(caught.value).splitlines()
    assert len(message) < 500
    if isinstance(caught.value, OptionError):
        assert where == [f"  ce + {loss}", "       ^"]


def test_a_wrapped_network_keeps_its_module_paths() -> None:
    student, teacher = residual(1, 4, 4, 4), residual(2, 4, 4, 4)
    wrapped = nn.Module()
    wrapped.network = teacher
    wrapped.forward = teacher.forward
    loss = "at(student='stages.0', teacher='stages.0') + fitnet"
    found = value(built(loss, student, wrapped), student, wrapped)
    expected = value(built(loss, student, teacher), student, teacher)
    torch.testing.assert_close(found.total, expected.total)


def test_flows_connect_consecutive_taps() -> None:
    student, teacher = (residual(seed, 4, 4, 4, depths=(3, 1, 1)) for seed in (1, 2))
    paths = "['stages.0.0', 'stages.0.1', 'stages.0.2']"
    criterion = built(f"1*fsp(student={paths}, teacher={paths})", student, teacher)
    ours, theirs = (ByHand(network).blocks[0] for network in (student, teacher))
    expected = sum(
        flow_of_the_mean((ours[i], ours[i + 1]), (theirs[i], theirs[i + 1])) for i in range(2)
    )
    found = value(criterion, student, teacher).total
    assert float(found.detach()) == pytest.approx(expected, rel=1e-3, abs=1e-7)


def test_terms_that_read_the_same_activation_share_a_hook() -> None:
    student, teacher = residual(1, 4, 4, 4), transformer(2)
    alone, both = built("at", student, teacher), built("at + nst", student, teacher)
    assert both.student_watches == alone.student_watches
    assert len(alone.student_watches) == len(alone.teacher_watches) == 3
    assert not built("ce + kd", student, teacher).student_watches


def test_localization_maps_need_a_classifier_on_the_last_map() -> None:
    student = residual(1, 4, 4, 4)
    head = [nn.AvgPool2d(8), nn.Flatten(), nn.Linear(16, CLASSES)]
    teacher = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), *head)
    with pytest.raises(NetworkError, match=r"teacher reads 16 features but .* 4 channels"):
        built("ce + semantic", student, teacher)


def test_losses_are_computed_in_fp32() -> None:
    student, teacher = residual(1, 4, 6, 8), residual(2, 8, 12, 16)
    criterion = built("ce + kd + sp + fitnet + kdsvd", student, teacher)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = value(criterion, student, teacher)
    assert mixed.total.dtype == torch.float32
    single = value(criterion, student, teacher)
    torch.testing.assert_close(mixed.total, single.total, rtol=0.05, atol=0)
