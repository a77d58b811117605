"""Ground truths whose networks differ from the table, and with larger images."""

from pathlib import Path

import pytest
import torch

from diswot.bench.correlation_run import CorrelationSettings, run_correlation
from diswot.bench.ground_truths import find_truth
from diswot.errors import DataError
from diswot.progress import silent
from diswot.search import SPACES
from diswot.tasks.images import EnlargedImages, load_data, load_resized
from search_spaces import ResNetDepthSpace
from tests.export.photos import folder_of_photos

SPACE = ResNetDepthSpace(in_channels=1)
NAMES = [f"{a}-{b}-1" for a in (1, 3, 5, 7) for b in (1, 3, 5)]


def params_of(name: str) -> int:
    network = SPACE.build(SPACE.from_string(name), 10)
    return sum(parameter.numel() for parameter in network.parameters())


def compared(folder: Path, params: list[int]) -> None:
    rows = [f"{n},{60 + i},{p}" for i, (n, p) in enumerate(zip(NAMES, params, strict=True))]
    (folder / "mine.csv").write_text("\n".join(["arch,acc,params", *rows]), "utf-8")
    settings = CorrelationSettings(
        str(folder / "mine.csv"),
        ("params",),
        column="acc",
        space="s0",
        data="digits",
        teacher="resnet20",
        repeats=1,
        batch_size=8,
    )
    run_correlation(settings, folder / "out", progress=silent)


def test_the_error_names_the_first_network_with_other_params(tmp_path: Path) -> None:
    params = [params_of(name) for name in NAMES]
    wrong = [count + (place >= 3) for place, count in enumerate(params)]
    message = (
        f"{NAMES[3]} has {wrong[3]:,} parameters in the table, but its network has {params[3]:,}"
    )
    with pytest.raises(DataError, match=message) as refusal:
        compared(tmp_path, wrong)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_table_with_matching_parameter_counts_is_accepted(tmp_path: Path) -> None:
    compared(tmp_path, [params_of(name) for name in NAMES])
    assert (tmp_path / "out" / "acc.csv").exists()


def test_images_are_resized_batch_by_batch() -> None:
    data = load_data("digits")
    larger = EnlargedImages.of(data, 24)
    assert larger.signature.inputs[0].shape == (1, 24, 24)
    (images,) = larger.batch("train", torch.arange(3)).inputs
    (small,) = data.batch("train", torch.arange(3)).inputs
    assert images.shape == (3, 1, 24, 24)
    assert torch.equal(larger.train.images, data.train.images)
    assert float(images.mean()) == pytest.approx(float(small.mean()), abs=0.1)


def test_photos_are_decoded_at_another_size(tmp_path: Path) -> None:
    folder = str(folder_of_photos(tmp_path / "photos"))
    resized = load_resized(folder, 8, root=tmp_path)
    assert not isinstance(resized, EnlargedImages)
    assert torch.equal(
        resized.test.images, load_data(folder, root=tmp_path, image_size=8).test.images
    )
    assert isinstance(load_resized("digits", 24), EnlargedImages)


def test_transformers_can_be_scored_at_their_training_resolution(shared_data: Path) -> None:
    truth = find_truth("autoformer-224", shared_data)
    small = find_truth("autoformer", shared_data)
    assert (truth.image_size, truth.space_name) == (224, "autoformer-224")
    assert truth.space_name in SPACES
    assert truth.architectures == small.architectures
