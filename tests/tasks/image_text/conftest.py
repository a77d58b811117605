"""The small data, alone and with the text embeddings of a teacher."""

import pytest
import torch

from diswot.tasks.image_text import DualEncoder, ImageTextData
from tests.tasks.image_text.squares import squares


@pytest.fixture(scope="session")
def data() -> ImageTextData:
    return squares()


@pytest.fixture(scope="session")
def teacher(data: ImageTextData) -> DualEncoder:
    """Return a dual encoder with random weights."""
    found = data.task.find_teacher("dual-medium", data).initialized(0).eval()
    assert isinstance(found, DualEncoder)
    return found


@pytest.fixture(scope="session")
def completed(data: ImageTextData, teacher: DualEncoder) -> ImageTextData:
    return data.with_teacher(teacher)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)
