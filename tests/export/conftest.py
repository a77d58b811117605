"""Fixtures of tests of exported students."""

import pytest
import torch
from torch import nn

import diswot
from diswot.export import Exported
from diswot.tasks.images import ImageData, load_data
from tests.export.photos import folder_of_photos


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, ImageData, Exported]:
    """Return a network for photos of three classes, its data, and its export in all forms."""
    place = tmp_path_factory.mktemp("photos")
    (place / "kept").mkdir()
    data = load_data(folder_of_photos(place / "images"), root=place / "kept")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 5, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))
    network(torch.zeros(1, *data.shape))
    return network, data, diswot.export(network, place / "student", data=data)
