"""Loss terms in a short training: each decreases, and its trained parts are correct."""

import copy
import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import OptionError
from diswot.losses import Criterion, parse_objective, terms
from diswot.losses.ab import ActivationBoundaries
from diswot.losses.crd import CRD, Memory
from diswot.losses.ft import FactorTransfer
from diswot.losses.reviewkd import Fusion
from diswot.losses.vid import Gaussian
from diswot.networks import Activations
from tests.losses.networks import (
    BATCH,
    CLASSES,
    EXAMPLES,
    IMAGES,
    LABELS,
    TRAIN_IMAGES,
    activations,
    built,
    residual,
    transformer,
    value,
)


def backward(loss: Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]


@pytest.mark.slow
@pytest.mark.parametrize("of_tokens", [False, True], ids=["residual", "transformer"])
@pytest.mark.parametrize("name", sorted(terms()))
def test_a_few_steps_lower_the_loss(name: str, of_tokens: bool) -> None:
    student = (transformer(1) if of_tokens else residual(1, 4, 6, 8)).train()
    teacher = residual(2, 6, 8, 12, depths=(1, 2, 1))
    criterion = built(name, student, teacher).train()
    parameters = [*student.parameters(), *criterion.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.05, momentum=0.5)
    losses = []
    for _ in range(8):
        loss = value(criterion, student, teacher).total
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        backward(loss)
        nn.utils.clip_grad_norm_(parameters, 1)
        optimizer.step()
    assert sum(losses[-2:]) / 2 < losses[0]


def term(criterion: Criterion) -> nn.Module:
    (found,) = (each for each in criterion.modules() if type(each) in (CRD, FactorTransfer))
    return found


def contrast(criterion: Criterion, student: Activations, indices: Tensor) -> float:
    torch.manual_seed(0)
    batch = replace(BATCH, indices=indices)
    return float(criterion(student, student, batch).total.detach())


def test_crd_updates_only_the_memory_of_the_batch() -> None:
    network = residual(1, 4, 6, 8)
    criterion = built("crd(negatives=4)", network, network).train()
    before = copy.deepcopy(criterion.state_dict())
    indices = torch.tensor([3, 5, 7, 11, 13, 17])
    contrast(criterion, activations(network), indices)
    others = [place for place in range(TRAIN_IMAGES) if place not in indices]
    for key, held in criterion.state_dict().items():
        if key.endswith("rows"):
            assert held[others].equal(before[key][others])
            assert not held[indices].isclose(before[key][indices]).all(dim=1).any()
            torch.testing.assert_close(held.norm(dim=1), torch.ones(TRAIN_IMAGES))
        if key.endswith("known"):
            assert held[indices].equal(LABELS)
            assert (held[others] == -1).all()


def test_crd_resumes_from_its_state() -> None:
    network = residual(1, 4, 6, 8)
    one, other = (built("crd(negatives=4)", network, network, seed=s).train() for s in (0, 1))
    seen, next_seen = activations(network), torch.arange(IMAGES) + 3
    contrast(one, seen, torch.arange(IMAGES))
    other.load_state_dict(one.state_dict())
    assert contrast(one, seen, next_seen) == contrast(other, seen, next_seen)
    assert contrast(one, seen, next_seen) == contrast(other, seen, next_seen)


def test_crd_does_not_change_its_memory_in_eval_mode() -> None:
    network = residual(1, 4, 6, 8)
    criterion = built("crd(negatives=4)", network, network).train()
    contrast(criterion, activations(network), torch.arange(IMAGES))
    before = copy.deepcopy(criterion.state_dict())
    contrast(criterion.eval(), activations(network), torch.arange(IMAGES))
    assert all(held.equal(before[key]) for key, held in criterion.state_dict().items())


def test_the_first_batch_sets_the_normalizer_of_the_memory() -> None:
    torch.manual_seed(0)
    memory = Memory(50, 8, temperature=0.07, momentum=0.5)
    embeddings = F.normalize(torch.randn(3, 8), dim=1)
    places = torch.randint(50, (3, 6))
    memory.contrast(embeddings, places)
    cosines = torch.einsum("bd,bnd->bn", embeddings, memory.rows[places])
    expected = 50 * (cosines / 0.07).exp().mean()
    torch.testing.assert_close(memory.log_normalizer.exp(), expected)
    memory.contrast(-embeddings, places)
    torch.testing.assert_close(memory.log_normalizer.exp(), expected)


def test_the_memory_is_updated_with_its_momentum() -> None:
    memory = Memory(4, 2, temperature=0.07, momentum=0.75)
    memory.rows[1] = torch.tensor([1.0, 0.0])
    memory.store(torch.tensor([[0.0, 1.0]]), torch.tensor([1]))
    torch.testing.assert_close(memory.rows[1], F.normalize(torch.tensor([0.75, 0.25]), dim=0))


def test_invalid_memory_options_are_refused() -> None:
    network = residual(1, 4, 6, 8)
    objective = parse_objective("ce + crd(momentum=1)")
    with pytest.raises(OptionError, match=r"momentum, got 1\n.*\n {7}\^$"):
        objective.build(network, network, EXAMPLES, outputs=CLASSES, train_examples=9)


class TeacherBatches:
    """Batches of teacher activations without gradients; they can be iterated several times."""

    def __init__(self, teacher: nn.Module, count: int) -> None:
        self._teacher, self._count = teacher, count

    def __iter__(self) -> Iterator[Activations]:
        for _ in range(self._count):
            with torch.no_grad():
                yield activations(self._teacher)


@pytest.mark.slow
def test_the_paraphraser_learns_to_reconstruct_and_is_frozen() -> None:
    teacher, student = residual(2, 6, 8, 12), residual(1, 4, 6, 8)
    criterion = parse_objective("ft").build(
        student, teacher, EXAMPLES, outputs=CLASSES, train_examples=TRAIN_IMAGES
    )
    assert criterion.needs_preparation
    factors = term(criterion)
    assert isinstance(factors, FactorTransfer)
    with torch.no_grad():
        before = float(factors.rebuilding(activations(teacher)))
        criterion.prepare(TeacherBatches(teacher, 20))
        assert float(factors.rebuilding(activations(teacher))) < 0.9 * before
    assert not criterion.needs_preparation
    fixed = {key for key, each in criterion.named_parameters() if not each.requires_grad}
    assert {key.split(".")[2] for key in fixed} == {"_paraphrasers", "_rebuilders"}
    prepared = copy.deepcopy(criterion.state_dict())
    optimizer = torch.optim.SGD(criterion.parameters(), lr=0.1, weight_decay=0.1)
    backward(value(criterion, student, teacher).total)
    optimizer.step()
    moved = {key for key, held in criterion.state_dict().items() if not held.equal(prepared[key])}
    assert moved
    assert not moved & fixed


def test_ab_reads_both_networks_before_the_activation() -> None:
    student, teacher = residual(1, 4, 6, 8), residual(2, 6, 8, 12)
    criterion = built("ab", student, teacher)
    (boundaries,) = (each for each in criterion.modules() if isinstance(each, ActivationBoundaries))
    for network, taps in (
        (student, boundaries.student_taps),
        (teacher, boundaries.teacher_taps),
    ):
        seen = activations(network, [watch for tap in taps for watch in tap.watches])
        assert len(taps) == 3
        assert all(tap.read(seen).min() < 0 for tap in taps)
        assert taps[-1].read(seen).relu().equal(seen.feature_map)


def test_stages_are_fused_with_later_ones_at_the_teachers_size() -> None:
    torch.manual_seed(0)
    fusion, last = Fusion(4, 5, 6, last=False), Fusion(4, 5, 6, last=True)
    maps, size = torch.randn(2, 4, 8, 8), torch.Size([16, 12])
    carried = torch.randn(2, 5, 4, 4, requires_grad=True)
    compared, handed = fusion(maps, carried, size)
    assert compared.shape == (2, 6, 16, 12)
    assert handed.shape == (2, 5, 16, 12)
    backward(compared.square().mean())
    assert carried.grad is not None
    assert carried.grad.abs().sum() > 0
    assert last(maps, None, size)[0].shape == (2, 6, 16, 12)


def test_the_fusion_equals_the_equation_of_the_paper() -> None:
    torch.manual_seed(0)
    fusion = Fusion(4, 5, 6, last=False).eval()
    narrow, attention, widen = fusion.children()
    maps, carried = torch.randn(2, 4, 4, 4), torch.randn(2, 5, 2, 2)
    own, later = narrow(maps), carried.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    expected = torch.empty(2, 5, 4, 4)
    for image in range(2):
        for row in range(4):
            for column in range(4):
                x, y = own[image, :, row, column], later[image, :, row, column]
                scores = attention(torch.cat([x, y])[None, :, None, None]).flatten()
                first, second = 1 / (1 + (-scores).exp())
                expected[image, :, row, column] = first * x + second * y
    compared, handed = fusion(maps, carried, torch.Size([4, 4]))
    torch.testing.assert_close(handed, expected)
    torch.testing.assert_close(compared, widen(expected))


def test_vid_starts_with_a_variance_of_five() -> None:
    gaussian = Gaussian(3, 4)
    teacher = torch.randn(2, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros(2, 3, 5, 5)  # whose predicted mean is 0, because there are no biases
    expected = (math.log(5) + teacher.square().mean() / 5) / 2
    torch.testing.assert_close(gaussian(nothing, teacher), expected)


def test_ab_halves_the_weight_of_every_earlier_stage() -> None:
    student, teacher = residual(1, 4, 6, 8), residual(2, 6, 8, 12)
    paths = ["stages.0.0", "stages.1.0", "stages.2.0"]
    whole = built("1*ab", student, teacher)
    parts = [built(f"1*ab(student='{p}', teacher='{p}')", student, teacher) for p in paths]
    state = whole.state_dict()
    for stage, part in enumerate(parts):
        held = {key: state[key.replace("rs.0.", f"rs.{stage}.")] for key in part.state_dict()}
        part.load_state_dict(held)
    losses = [value(part, student, teacher).total for part in parts]
    expected = losses[0] / 4 + losses[1] / 2 + losses[2]
    torch.testing.assert_close(value(whole, student, teacher).total, expected)


@pytest.mark.parametrize("name", ["dkd", "reviewkd"])
def test_terms_that_warm_up_grow_linearly(name: str) -> None:
    student, teacher = residual(1, 4, 6, 8), residual(2, 8, 12, 16)

    def at(progress: float, loss: str = name) -> float:
        criterion = built(loss, student, teacher)
        batch = replace(BATCH, progress=progress)
        return float(value(criterion, student, teacher, batch).total.detach())

    whole = at(1.0)
    assert whole > 0
    assert [at(p / 240) / whole for p in (5, 10, 20, 100)] == pytest.approx([0.25, 0.5, 1, 1])
    assert at(0.25, f"{name}(warmup=0.5)") == pytest.approx(whole / 2)
    assert at(0.0, f"{name}(warmup=0)") == pytest.approx(whole)
