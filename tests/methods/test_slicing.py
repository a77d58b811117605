"""Students that are views of the weights of a supernet."""

import pytest
import torch
from torch import nn

from diswot.errors import SpaceError
from diswot.methods.supernet import Relations, Sliced, Supernet, run_sliced, tie, views
from diswot.networks.meta import build_on_meta
from diswot.tasks import Batch
from search_spaces import Signature, TensorSpec, TextEncoderSpace, covering

TEXTS = Signature(
    (TensorSpec("input_ids", (6,), "int64", high=20), TensorSpec("attention_mask", (6,), "bool")),
    3,
)
TOKENS = torch.tensor([[1, 7, 5, 9, 11, 2], [1, 4, 2, 0, 0, 0]])
MASK = TOKENS != 0
NORMS = pytest.mark.parametrize("norm", ["first", "last"])


def space_of(norm: str = "first") -> TextEncoderSpace:
    return TextEncoderSpace(
        layers=(1, 2, 4), hidden=(8, 12), heads=(1, 3), ratios=(1, 2), head_size=4, norm=norm
    )


def supernet_of(space: TextEncoderSpace) -> nn.Module:
    torch.manual_seed(0)
    return space.network(covering(list(space)), TEXTS)


def student_of(space: TextEncoderSpace, *fields: float) -> nn.Module:
    return space.network(space.architecture(*fields), TEXTS)


@NORMS
def test_a_view_and_the_supernet_share_memory(norm: str) -> None:
    space = space_of(norm)
    supernet = supernet_of(space)
    student = tie(student_of(space, 2, 8, 1, 1), supernet)
    with torch.no_grad():
        student.get_parameter("tokens.weight")[3, 5] = 42.0
        supernet.get_parameter("layers.2.attention.query.weight")[1, 2] = 24.0
    assert supernet.get_parameter("tokens.weight")[3, 5] == 42
    assert student.get_parameter("layers.1.attention.query.weight")[1, 2] == 24


@NORMS
def test_weights_outside_a_student_get_no_gradient(norm: str) -> None:
    space = space_of(norm)
    supernet = supernet_of(space)
    student = build_on_meta(lambda: student_of(space, 2, 8, 1, 1))
    run_sliced(supernet, student, TOKENS, MASK).square().sum().backward()
    inside = {name: torch.zeros_like(each) for name, each in supernet.named_parameters()}
    for name, view in views(supernet, student).items():
        source = name.replace("layers.1.", "layers.2.")
        inside[source][tuple(map(slice, view.shape))] = 1
    for name, parameter in supernet.named_parameters():
        outside = inside[name] == 0
        if parameter.grad is not None:
            assert not parameter.grad[outside].any(), name
    reached = [each for each in supernet.parameters() if each.grad is not None and each.grad.any()]
    assert len(reached) >= 10


@NORMS
def test_the_largest_student_is_the_supernet(norm: str) -> None:
    space = space_of(norm)
    supernet = supernet_of(space)
    largest = build_on_meta(lambda: student_of(space, 4, 12, 3, 2))
    assert torch.equal(run_sliced(supernet, largest, TOKENS, MASK), supernet(TOKENS, MASK))


@NORMS
@pytest.mark.parametrize("fields", [(1, 8, 1, 1), (2, 12, 3, 1), (4, 8, 3, 2)])
def test_an_extracted_student_computes_the_outputs_of_its_view(
    norm: str, fields: tuple[int, ...]
) -> None:
    space = space_of(norm)
    supernet = supernet_of(space)
    source = Sliced(space, TEXTS, [Supernet(list(space), supernet)])
    arch = space.architecture(*fields)
    alone, view = source.student(arch), source.view(arch)
    expected = run_sliced(supernet, build_on_meta(lambda: space.network(arch, TEXTS)), TOKENS, MASK)
    torch.testing.assert_close(alone(TOKENS, MASK), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(view(TOKENS, MASK), expected, atol=1e-6, rtol=0)
    with torch.no_grad():
        supernet.get_parameter("tokens.weight").zero_()
    assert alone.get_parameter("tokens.weight").any()  # it shares no memory with the supernet
    assert not view.get_parameter("tokens.weight").any()


@pytest.mark.parametrize("after_softmax", [True, False])
def test_the_loss_of_a_student_equal_to_the_teacher_is_zero(after_softmax: bool) -> None:
    space = space_of()
    teacher = supernet_of(space)
    whole = build_on_meta(lambda: student_of(space, 4, 12, 3, 2))
    objective = Relations(teacher, after_softmax)
    batch = Batch((TOKENS, MASK), None, None, torch.arange(2))
    target = objective.target(batch)
    assert float(objective.loss(teacher, whole, target, batch).detach()) == 0
    small = build_on_meta(lambda: student_of(space, 1, 8, 1, 1))
    assert float(objective.loss(teacher, small, target, batch).detach()) > 0


def test_layers_are_spread_evenly() -> None:
    space = space_of()
    supernet = supernet_of(space)
    for layer in range(4):
        nn.init.constant_(supernet.get_parameter(f"layers.{layer}.norm1.bias"), layer)
    found = views(supernet, student_of(space, 2, 8, 1, 1))
    assert [float(found[f"layers.{layer}.norm1.bias"][0].detach()) for layer in (0, 1)] == [0, 2]


def test_a_student_outside_the_supernet_is_refused() -> None:
    space = space_of()
    small = space.network(space.architecture(1, 8, 1, 1), TEXTS)
    with pytest.raises(SpaceError, match=r"its tokens\.weight is 20×12"):
        views(small, student_of(space, 1, 12, 1, 1))
    source = Sliced(space, TEXTS, [])
    with pytest.raises(SpaceError, match="is in no sub-space"):
        source.student(space.architecture(1, 8, 1, 1))
