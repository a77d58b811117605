"""The contract of every registered loss term, for any two networks."""

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from diswot.losses import terms
from diswot.networks import Activations, ForwardPass
from tests.losses.networks import (
    BATCH,
    EXAMPLES,
    built,
    forward_pass,
    plain,
    residual,
    transformer,
    twin,
    value,
)

each_term = pytest.mark.parametrize("name", sorted(terms()))

PAIRS: dict[str, Callable[[], tuple[nn.Module, nn.Module]]] = {
    "to a wider network": lambda: (residual(1, 4, 6, 8), residual(2, 8, 12, 16)),
    "to a deeper network of other resolutions": lambda: (residual(1, 4, 6, 8), plain(2)),
    "to a shallower network of other resolutions": lambda: (plain(1), residual(2, 4, 6, 8)),
    "to a transformer": lambda: (residual(1, 4, 6, 8), transformer(2)),
    "from a transformer": lambda: (transformer(1), residual(2, 4, 6, 8)),
    "between transformers": lambda: (transformer(1), transformer(2, 7, 10)),
}
each_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())


@each_term
def test_a_student_with_the_teachers_outputs_has_minimal_loss(name: str) -> None:
    teacher = residual(2, 4, 6, 8)
    student = twin(teacher)
    least = terms()[name].card.least
    found = value(built(f"1*{name}", student, teacher), student, teacher).total.detach()
    assert found.isfinite()
    if least is not None:
        assert float(found) == pytest.approx(least, abs=1e-5)
        other = residual(1, 4, 6, 8)
        apart = value(built(f"1*{name}", other, teacher), other, teacher).total
        assert float(apart.detach()) > float(found) + 1e-6


@each_term
@each_pair
def test_student_and_adapters_get_gradients_and_the_teacher_none(
    name: str, pair: Callable[[], tuple[nn.Module, nn.Module]]
) -> None:
    student, teacher = pair()
    criterion = built(name, student, teacher)
    value(criterion, student, teacher).total.backward()  # type: ignore[no-untyped-call]
    into = [parameter.grad for parameter in student.parameters() if parameter.grad is not None]
    assert sum(float(gradient.abs().sum()) for gradient in into) > 0
    learnt = [each for each in criterion.parameters() if each.requires_grad]
    trained = [parameter.grad for parameter in learnt]
    assert all(gradient is not None for gradient in trained)
    assert all(gradient.isfinite().all() for gradient in (*into, *trained) if gradient is not None)
    assert all(parameter.grad is None for parameter in teacher.parameters())


def in_precision(given: ForwardPass, precision: torch.dtype) -> Activations:
    """Return large numbers in a precision in which their squares overflow."""

    def large(values: Tensor | None) -> Tensor:
        assert values is not None
        return (values * (1000 / values.detach().abs().max())).to(precision)

    watched = {watch: [large(each) for each in kept] for watch, kept in given.watched.items()}
    return Activations(
        replace(
            given,
            output=large(given.output),
            features=large(given.features),
            feature_map=large(given.feature_map),
            watched=watched,
        )
    )


@each_term
@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_half_precision_is_finite(name: str, precision: torch.dtype) -> None:
    student, teacher = residual(1, 4, 6, 8), residual(2, 8, 12, 16)
    criterion = built(name, student, teacher)
    half = [
        in_precision(forward_pass(network, watches), precision)
        for network, watches in (
            (student, criterion.student_watches),
            (teacher, criterion.teacher_watches),
        )
    ]
    found = criterion(*half, BATCH)
    assert found.total.dtype == torch.float32
    assert found.total.isfinite()


@each_term
def test_the_state_dict_restores_a_trained_term(name: str) -> None:
    student, teacher = residual(1, 4, 6, 8), transformer(2)
    trained, fresh = (built(name, student, teacher, seed=seed) for seed in (0, 1))
    learnt = [parameter for parameter in trained.parameters() if parameter.requires_grad]
    value(trained, student, teacher).total.backward()  # type: ignore[no-untyped-call]
    if learnt:
        torch.optim.SGD(learnt, lr=0.01).step()
    fresh.load_state_dict(trained.state_dict())
    assert not fresh.needs_preparation
    ours, theirs = (value(each, student, teacher).total for each in (trained, fresh))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


@each_term
def test_the_seed_determines_the_initial_state(name: str) -> None:
    student, teacher = residual(1, 4, 6, 8), transformer(2)
    one, same = (built(name, student, teacher, seed=3) for _ in range(2))
    state = one.state_dict()
    assert state.keys() == same.state_dict().keys()
    for key, held in same.state_dict().items():
        torch.testing.assert_close(held, state[key], rtol=0, atol=0, equal_nan=True)


@each_term
def test_building_a_term_does_not_change_the_networks(name: str) -> None:
    networks = residual(1, 4, 6, 8).train(), transformer(2)
    networks[0].stem[1].eval()
    before = [copy.deepcopy(network.state_dict()) for network in networks]
    modes = [[module.training for module in network.modules()] for network in networks]
    generator = torch.get_rng_state()
    built(name, *networks)
    assert torch.equal(torch.get_rng_state(), generator)
    for network, state, mode in zip(networks, before, modes, strict=True):
        assert [module.training for module in network.modules()] == mode
        assert not any(module._forward_hooks for module in network.modules())
        for key, held in network.state_dict().items():
            assert torch.equal(held, state[key])


@each_term
def test_a_term_can_be_copied_and_moved(name: str) -> None:
    student, teacher = residual(1, 4, 6, 8), residual(2, 8, 12, 16)
    criterion = built(name, student, teacher)
    copied = copy.deepcopy(criterion).to(EXAMPLES.device)
    ours, theirs = (value(each, student, teacher).total for each in (criterion, copied))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


@each_term
def test_every_term_has_a_complete_card(name: str) -> None:
    card = terms()[name].card
    assert card.name == name
    assert card.weight > 0
    for text in (card.summary, card.source, card.weight_source, *card.reads):
        assert text
        assert "\n" not in text
