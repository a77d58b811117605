"""The output of a network in its return value."""

from collections import OrderedDict
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from diswot.errors import NetworkError
from diswot.networks.output import output_of

MAIN, OTHER = torch.zeros(2, 3), torch.ones(2, 3)


class Named(NamedTuple):
    """Two outputs, the logits last."""

    features: Tensor
    logits: Tensor


class Unnamed(NamedTuple):
    """Two outputs, neither called logits."""

    main: Tensor
    other: Tensor


@dataclass
class Record:
    """Two outputs, neither named logits."""

    loss: Tensor | None
    main: Tensor
    other: Tensor


@dataclass
class WithLogits:
    """The logits after something else."""

    features: Tensor
    logits: Tensor


@pytest.mark.parametrize(
    "returned",
    [
        MAIN,
        (MAIN, OTHER),
        [MAIN, OTHER],
        (None, MAIN, OTHER),
        ([OTHER], MAIN),
        {"main": MAIN, "other": OTHER},
        {"features": OTHER, "logits": MAIN},
        OrderedDict(aux_logits=OTHER, logits=MAIN),
        {"logits": None, "main": MAIN},
        Named(OTHER, MAIN),
        Unnamed(MAIN, OTHER),
        Record(None, MAIN, OTHER),
        WithLogits(OTHER, MAIN),
        SimpleNamespace(features=OTHER, logits=MAIN),
    ],
)
def test_output_is_the_logits_or_the_first_tensor(returned: Any) -> None:
    assert output_of(returned) is MAIN


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        (None, "NoneType"),
        (3.0, "float"),
        ((), "an empty tuple"),
        ({"a": 1, "b": "c"}, "dict of int, str"),
        ([[MAIN]], "list of list"),
        (SimpleNamespace(main=MAIN), "SimpleNamespace"),
    ],
)
def test_anything_else_is_refused_with_its_type(returned: Any, got: str) -> None:
    with pytest.raises(NetworkError, match=f"but got {got}: return the logits"):
        output_of(returned)


def test_output_of_a_transformers_classifier() -> None:
    outputs = pytest.importorskip("transformers.modeling_outputs")
    assert output_of(outputs.ImageClassifierOutput(loss=OTHER.sum(), logits=MAIN)) is MAIN
