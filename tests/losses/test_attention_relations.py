"""The relation distillation loss against a transcription of AutoDistil's equation 4."""

import math

import pytest
import torch
from torch import Tensor

from diswot.errors import NetworkError
from diswot.losses import attention_relation_loss
from diswot.networks.attention import Attention

MASK = torch.tensor([[True, True, True], [True, True, False]])


def drawn(seed: int, channels: int, heads: int) -> Attention:
    generator = torch.Generator().manual_seed(seed)
    query, key, value = torch.randn(3, 2, 3, channels, generator=generator)
    return Attention(query, key, value, heads)


def transcribed(student: Attention, teacher: Attention, *, softmax: bool) -> float:
    """Sum over QQ, KK, VV of the mean squared error, one number after the other."""
    total = 0.0
    for own, other in zip(student.relations(), teacher.relations(), strict=True):
        squares: list[float] = []
        for text in range(2):
            places = [place for place in range(3) if MASK[text, place]]
            for head in range(teacher.heads):
                pair = [
                    rows(each[text], places, head, teacher.heads, softmax=softmax)
                    for each in (own, other)
                ]
                for ours, theirs in zip(*pair, strict=True):
                    squares += [(a - b) ** 2 for a, b in zip(ours, theirs, strict=True)]
        total += sum(squares) / len(squares)
    return total


def rows(
    channels: Tensor, places: list[int], head: int, heads: int, *, softmax: bool
) -> list[list[float]]:
    size = channels.shape[-1] // heads
    part = channels[:, head * size : (head + 1) * size].tolist()
    found = []
    for a in places:
        scores = [
            sum(x * y for x, y in zip(part[a], part[b], strict=True)) / math.sqrt(size)
            for b in places
        ]
        if softmax:
            whole = sum(map(math.exp, scores))
            scores = [math.exp(score) / whole for score in scores]
        found.append(scores)
    return found


@pytest.mark.parametrize("softmax", [True, False])
@pytest.mark.parametrize("channels", [4, 6, 7, 12])
def test_the_loss_equals_the_equation(channels: int, softmax: bool) -> None:
    student, teacher = drawn(0, channels, 1), drawn(1, 6, 3)
    found = attention_relation_loss(student, teacher, MASK, after_softmax=softmax)
    assert float(found) == pytest.approx(transcribed(student, teacher, softmax=softmax), rel=1e-5)


def test_the_loss_of_identical_networks_is_zero() -> None:
    one = drawn(0, 8, 2)
    assert float(attention_relation_loss(one, one, MASK)) == 0


def test_padding_does_not_change_the_loss() -> None:
    student, teacher = drawn(0, 8, 2), drawn(1, 6, 3)
    before = attention_relation_loss(student, teacher, MASK)
    for each in (*student.relations(), *teacher.relations()):
        each[1, 2] = 100.0
    assert attention_relation_loss(student, teacher, MASK) == before


def test_no_gradient_flows_into_the_teacher() -> None:
    student, teacher = drawn(0, 8, 2), drawn(1, 6, 3)
    for each in (*student.relations(), *teacher.relations()):
        each.requires_grad_()
    attention_relation_loss(student, teacher, MASK).backward()  # type: ignore[no-untyped-call]
    assert all(each.grad is not None for each in student.relations())
    assert all(each.grad is None for each in teacher.relations())


def test_more_relation_heads_than_channels_are_refused() -> None:
    with pytest.raises(NetworkError, match=r"4 channels .* into 5 relation heads"):
        attention_relation_loss(drawn(0, 4, 1), drawn(1, 8, 2), MASK, heads=5)
