"""Signatures in manifests of this version and of version 0.1.0."""

import json
from typing import Any

import pytest

from diswot.tasks import read_signature
from diswot.tasks.images import load_data
from search_spaces import Signature, TensorSpec

IMAGES = {"shape": [3, 8, 8], "num_classes": 4, "mean": [0.5] * 3, "std": [1.0] * 3, "scale": 255}


def test_a_signature_is_read_back_unchanged() -> None:
    tokens = TensorSpec("ids", (None,), "int64", high=100)
    signature = Signature((tokens, TensorSpec("mask", (None,), "bool")), 7, {"size": (3, 4)})
    written = json.loads(json.dumps({"signature": signature.to_json()}))
    assert read_signature(written) == signature


def test_manifests_of_0_1_0_give_an_image_signature() -> None:
    spec = load_data("digits").spec
    written = json.loads(json.dumps({"images": vars(spec)}))
    assert read_signature(written) == load_data("digits").signature


@pytest.mark.parametrize(
    ("field", "value"),
    [("shape", [3, 8]), ("shape", [3, 10**9, 8]), ("num_classes", 10**9), ("mean", [1.0]),
     ("num_classes", True), ("scale", "x"), ("shape", [3, 8.5, 8])],
)  # fmt: skip
def test_manifests_with_impossible_values_are_refused(field: str, value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        read_signature({"images": IMAGES | {field: value}})
    assert read_signature({"images": IMAGES}).outputs == 4


@pytest.mark.parametrize("record", [{}, {"signature": {"inputs": []}}, {"images": {}}])
def test_manifests_without_a_signature_are_refused(record: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        read_signature(record)
