"""Shape model, outlines, errors and files of landmarks."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from diswot.errors import DataError, OptionError
from diswot.tasks.landmarks import (
    ShapeModel,
    normalized_errors,
    normalized_mean_error,
    read_csv,
    read_pts,
    row_edges,
)


def shapes(count: int = 40, coordinates: int = 10) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    mixed = torch.randn(coordinates, coordinates, generator=generator).double()
    return torch.randn(count, coordinates, generator=generator).double() @ mixed


def test_a_complete_model_without_clipping_is_the_identity() -> None:
    given_shapes = shapes()
    model = ShapeModel.fit(given_shapes, fraction=1.0)
    assert torch.allclose(model.smooth(given_shapes, sigmas=None), given_shapes)


def test_the_model_equals_the_eigenvectors_of_the_covariance() -> None:
    given_shapes = shapes()
    model = ShapeModel.fit(given_shapes, fraction=0.9)
    values, vectors = torch.linalg.eigh(given_shapes.T.cov())
    values, vectors = values.flip(0), vectors.flip(1)
    kept = int(torch.searchsorted(values.cumsum(0) / values.sum(), torch.tensor(0.9).double())) + 1
    assert torch.allclose(model.deviations, values[:kept].sqrt())
    centered = given_shapes - given_shapes.mean(0)
    limits = 3 * values[:kept].sqrt()
    positions = (centered @ vectors[:, :kept]).clamp(-limits, limits)
    expected = given_shapes.mean(0) + positions @ vectors[:, :kept].T
    assert torch.allclose(model.smooth(given_shapes), expected)


def test_soft_landmarks_vary_less_than_hard_ones() -> None:
    given_shapes = shapes()
    soft = ShapeModel.fit(given_shapes, fraction=0.9).smooth(given_shapes)
    assert soft.var(0).sum() < given_shapes.var(0).sum()


def test_a_far_shape_is_clipped_to_three_deviations() -> None:
    model = ShapeModel.fit(shapes(), fraction=0.9)
    far = model.mean + 50 * model.deviations[0] * model.directions[:, 0]
    position = (model.smooth(far[None])[0] - model.mean) @ model.directions[:, 0]
    assert torch.allclose(position, 3 * model.deviations[0])


@pytest.mark.parametrize("fraction", [0.0, 1.1, -1.0])
def test_a_fraction_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(OptionError, match="fraction"):
        ShapeModel.fit(shapes(), fraction=fraction)


def test_shapes_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="finite"):
        ShapeModel.fit(torch.tensor([[1.0, float("nan")], [1.0, 2.0]]))


def test_row_edges_of_a_uniform_stroke_are_its_borders() -> None:
    image = torch.zeros(1, 3, 8)
    image[0, 0, 2:7] = 5
    image[0, 2, 4] = 1
    found = row_edges(image)[0]
    assert found.shape == (6, 2)
    assert torch.allclose(found[0], torch.tensor([2.5, 0.5]))
    assert torch.allclose(found[3], torch.tensor([6.5, 0.5]))
    assert torch.allclose(
        found[1, 0], found[0, 0]
    )  # a row without ink gets the edges of the row above
    assert torch.allclose(found[2], torch.tensor([4.1, 2.5]))


def test_an_image_without_ink_is_refused() -> None:
    with pytest.raises(DataError, match="no ink"):
        row_edges(torch.zeros(1, 3, 3))


def test_errors_are_mean_distances_over_the_normalizer() -> None:
    truth = torch.rand(3, 68, 2) * 60
    predicted = truth + torch.tensor([3.0, 4.0])
    for name, scale in {
        "width": torch.full((3,), 64.0),
        "inter-ocular": (truth[:, 36] - truth[:, 45]).norm(dim=1),
        "box": (truth.amax(1) - truth.amin(1)).prod(1).sqrt(),
    }.items():
        found = normalized_errors(predicted, truth, normalizer=name, width=64)  # type: ignore[arg-type]
        assert torch.allclose(found, 5 / scale, rtol=1e-5)


def test_eye_corners_need_68_points() -> None:
    with pytest.raises(OptionError, match="68"):
        normalized_errors(
            torch.rand(1, 16, 2), torch.rand(1, 16, 2), normalizer="inter-ocular", width=16
        )


def test_an_unknown_normalizer_is_refused() -> None:
    with pytest.raises(OptionError, match="inter-ocular"):
        normalized_errors(torch.rand(1, 2, 2), torch.rand(1, 2, 2), normalizer="ear", width=1)  # type: ignore[arg-type]


def test_the_interval_is_wider_if_persons_are_resampled() -> None:
    per_person = torch.randn(30, generator=torch.Generator().manual_seed(2)).abs()
    errors = per_person.repeat_interleave(10)
    persons = torch.arange(30).repeat_interleave(10) * 7
    alone, grouped = normalized_mean_error(errors), normalized_mean_error(errors, groups=persons)
    assert alone.value == grouped.value == pytest.approx(float(errors.mean()))
    assert grouped.low < alone.low < alone.value < alone.high < grouped.high
    assert not alone.higher_is_better


def test_errors_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        normalized_mean_error(torch.tensor([0.1, float("inf")]))


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500)), min_size=1, max_size=5))
def test_pts_files_are_read_back(tmp_path_factory: pytest.TempPathFactory, points: list) -> None:  # type: ignore[type-arg]
    path = tmp_path_factory.mktemp("pts") / "face.pts"
    lines = [f"{x!r} {y!r}" for x, y in points]
    path.write_text("\n".join(["version: 1", f"n_points: {len(points)}", "{", *lines, "}", ""]))
    assert np.allclose(read_pts(path), np.array(points) - 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "not a .pts file"),
        ("version: 1\nn_points: 2\n{\n1 2\n}\n", "declares 2 points but has 1"),
        ("n_points: 1\n{\n1 nan\n}\n", "line 3"),
        ("n_points: 1\n{\n1\n}\n", "line 3"),
        ("n_points: many\n{\n1 1\n}\n", "not a .pts file"),
    ],
)
def test_damaged_pts_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "face.pts"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_pts(path)


def test_a_csv_with_the_points_of_every_image_is_read(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("image,x0,y0,x1,y1\na.png,1,2,3,4\nb/c.png,5,6,7,8.5\n")
    found = read_csv(path)
    assert list(found) == ["a.png", "b/c.png"]
    assert found["b/c.png"].points.tolist() == [[5, 6], [7, 8.5]]
    assert found["b/c.png"].person is None


def test_a_csv_may_have_a_person_column(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("image,Person,x0,y0\na.png,ann,1,2\nb.png,bob,3,4\n")
    found = read_csv(path)
    assert [each.person for each in found.values()] == ["ann", "bob"]
    assert found["b.png"].points.tolist() == [[3, 4]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 columns"),
        ("image,x0\n", "2 columns"),
        ("image,x0,y0\n", "holds no image"),
        ("image,x0,y0\na.png,1\n", "line 2: expected 3 columns"),
        ("image,x0,y0\na.png,1,\n", "line 2: a point is missing"),
        ("image,x0,y0\na.png,1,nan\n", "line 2: a point is not finite"),
        ("image,x0,y0\na.png,1,2\na.png,1,2\n", "appears twice"),
    ],
)
def test_damaged_csv_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "points.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_csv(path)
