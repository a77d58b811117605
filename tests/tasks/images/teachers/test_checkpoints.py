"""Checkpoints of built-in teachers."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from diswot.errors import CheckpointError
from diswot.tasks.images import ImageSpec
from diswot.tasks.images.teachers import TEACHERS, find_teacher

GRAY = ImageSpec((1, 16, 16), 10, (0.3,), (0.4,), 16.0)


def test_the_error_names_the_first_mismatch_with_both_shapes(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(TEACHERS["wrn-16-2"].build(num_classes=10, in_channels=1).state_dict(), path)
    with pytest.raises(
        CheckpointError,
        match=r"expected stages\.0\.0\.conv1\.weight of shape \(16, 16, 3, 3\), "
        r"but got shape \(32, 16, 3, 3\)",
    ):
        find_teacher("wrn-40-1", GRAY, weights=path)


def test_a_built_in_teacher_has_the_weights_of_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    network = TEACHERS["shufflenet-v2"].build(num_classes=10, in_channels=1)
    save_file(network.state_dict(), path)
    bare, trained = (find_teacher("shufflenet-v2", GRAY, weights=each) for each in (None, path))
    assert bare.weights is None
    assert trained.weights is not None
    found, expected = trained.weights().state_dict(), network.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert bare.digest() != trained.digest()
