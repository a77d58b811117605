"""Agreement of two embedding spaces: limits, and plain transcriptions."""

import pytest
import torch

from diswot.tasks.image_text import distance_correlation, neighbor_overlap

ONE = torch.randn(20, 6, generator=torch.Generator().manual_seed(0))
OTHER = torch.randn(20, 4, generator=torch.Generator().manual_seed(1))


def test_spaces_of_equal_directions_agree() -> None:
    rotation, _ = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(2)))
    turned = 3 * ONE @ rotation
    assert neighbor_overlap(ONE, turned, nearest=5) == 1
    assert distance_correlation(ONE, turned) == pytest.approx(1)


def test_opposite_orders_of_distances_are_anticorrelated() -> None:
    angles = torch.tensor([0.0, 0.1, 1.0])
    one = torch.stack([angles.cos(), angles.sin()], dim=1)
    middle = torch.tensor([0.0, 0.9, 0.4])  # the nearest pair becomes the farthest
    other = torch.stack([middle.cos(), middle.sin()], dim=1)
    assert distance_correlation(one, other) == pytest.approx(-1)


def test_neighbors_are_those_with_the_largest_cosines() -> None:
    shared = 0
    for image in range(20):
        sets = []
        for space in (ONE, OTHER):
            cosines = torch.cosine_similarity(space[image : image + 1], space)
            order = [item for item in cosines.argsort(descending=True).tolist() if item != image]
            sets.append({*order[:5]})
        shared += len(sets[0] & sets[1])
    assert neighbor_overlap(ONE, OTHER, nearest=5) == pytest.approx(shared / 100)


@pytest.mark.parametrize("measure", [neighbor_overlap, distance_correlation])
def test_other_numbers_of_images_are_refused(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(ValueError, match=r"same images, at least .* 20 and 19"):
        measure(ONE, OTHER[1:])
