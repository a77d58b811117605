"""Signatures: inputs and outputs of networks, as values."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import ResNetDepthSpace, Signature, TensorSpec

AXES = st.lists(st.none() | st.integers(1, 6), max_size=4).map(tuple)
FLOATS = st.builds(TensorSpec, st.just("x"), AXES, st.sampled_from(["float32", "bfloat16"]))
INTEGERS = st.builds(
    TensorSpec,
    st.just("ids"),
    AXES,
    st.sampled_from(["int64", "uint8"]),
    st.integers(0, 3),
    st.integers(4, 200),
)


@given(inputs=st.tuples(FLOATS, INTEGERS), outputs=st.integers(1, 1000))
def test_a_signature_is_read_back_from_json(inputs: tuple[TensorSpec, ...], outputs: int) -> None:
    signature = Signature(inputs, outputs, {"mean": [0.5]})
    assert Signature.from_json(json.loads(json.dumps(signature.to_json()))) == signature


@given(spec=FLOATS | INTEGERS, batch=st.integers(1, 3), length=st.integers(1, 4))
def test_examples_have_the_shape_type_and_range(spec: TensorSpec, batch: int, length: int) -> None:
    made = spec.example(batch, length=length)
    assert made.shape == (batch, *(length if axis is None else axis for axis in spec.shape))
    assert made.dtype == getattr(torch, spec.dtype)
    if spec.high is not None:
        assert spec.low <= int(made.min())
        assert int(made.max()) < spec.high


def test_examples_depend_only_on_the_generator() -> None:
    signature = Signature((TensorSpec("a", (2,)), TensorSpec("b", (2,), "int64", high=99)), 1)
    first, second = (
        signature.example(3, generator=torch.Generator().manual_seed(7)) for _ in range(2)
    )
    assert all(map(torch.equal, first, second))


def test_examples_on_the_meta_device_use_no_memory() -> None:
    (made,) = Signature((TensorSpec("a", (10**6, 10**6)),), 1).example(2, device="meta")
    assert made.is_meta


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: TensorSpec("x", (3,), "float31"), "float31"),
        (lambda: TensorSpec("x", (0,)), "at least 1"),
        (lambda: TensorSpec("ids", (3,), "int64"), "which values"),
        (lambda: Signature((), 1), "at least one input"),
        (lambda: Signature((TensorSpec("x", (3,)),), 0), "at least one output"),
        (lambda: Signature((TensorSpec("x", (3,)),) * 2, 1), "different names"),
    ],
)
def test_invalid_signatures_are_refused(wrong: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()  # type: ignore[operator]


def test_a_space_builds_for_a_signature() -> None:
    space = ResNetDepthSpace()
    network = space.network(
        space.from_string("1-1-1"), Signature((TensorSpec("images", (3, 8, 8)),), 7)
    )
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 7)
