"""Latencies predicted from operators."""

import json
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from scipy.stats import rankdata
from torch import Tensor, nn

from diswot.errors import DataError, OptionError, SpaceError
from diswot.latency import (
    Calibrated,
    OperatorTable,
    PredictedLatency,
    PredictionError,
    calibrate,
    find_latency,
    operators_of,
    read_operator_table,
    write_operator_table,
)
from diswot.progress import Step
from diswot.runs import with_checksum
from diswot.tasks.images import load_data
from search_spaces import Architecture, AutoFormerSpace, ResNetDepthSpace, Signature
from tests.cli.conftest import damaged
from tests.cli.faulty import BuildRaises, Small
from tests.signatures import of_images

pytestmark = pytest.mark.slow

IMAGES = load_data("digits").signature
SPACE = ResNetDepthSpace((1, 2), widths=(2, 2, 4, 4), in_channels=1)


class Halves(nn.Module):
    """Doubles its input in place."""

    def forward(self, x: Tensor) -> Tensor:
        x += x
        return (x @ x).flatten(1)


class Functional(Small):
    """Networks that call torch functions in place of modules."""

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        layers = [nn.ReLU(inplace=True) for _ in range(arch.width)]
        return nn.Sequential(*layers, Halves(), nn.Linear(256, num_classes))


def test_an_operator_has_the_same_name_as_module_and_function() -> None:
    space = Functional()
    assert operators_of(space, space.architecture(4), IMAGES, batch=3) == {
        "relu(3×1×16×16, inplace=True)": 4,
        "add_(3×1×16×16, 3×1×16×16)": 1,
        "matmul(3×1×16×16, 3×1×16×16)": 1,
        "flatten(3×1×16×16, 1)": 1,
        "linear(3×256, 10×256, 10)": 1,
    }


def test_more_blocks_repeat_the_same_operators() -> None:
    shallow, deep = (
        operators_of(SPACE, SPACE.architecture(*depths), IMAGES)
        for depths in ((2, 1, 1), (2, 2, 1))
    )
    more = deep - shallow
    assert not shallow - deep
    assert more.total() == 7  # two convolutions, normalizations and ReLUs, and the sum
    assert more["conv2d(1×4×8×8, 4×4×3×3, None, (1, 1), (1, 1), (1, 1), 1)"] == 2
    assert more["add(1×4×8×8, 1×4×8×8)"] == 1


def test_the_operators_of_attention_are_counted() -> None:
    space = AutoFormerSpace(image_size=16, depths=(1,), in_channels=1)
    found = operators_of(space, space.sample(np.random.default_rng(0)), IMAGES)
    names = Counter(name.partition("(")[0] for name in found.elements())
    assert names["matmul"] == 2
    assert names["softmax"] == 1
    assert names["gelu"] == 1


@pytest.fixture(name="reported", scope="module")
def fixture_reported() -> list[Step]:
    return []


@pytest.fixture(name="calibrated", scope="module")
def fixture_calibrated(reported: list[Step]) -> OperatorTable:
    return calibrate(SPACE, IMAGES, sample=8, batch=2, progress=reported.append)


@pytest.mark.slow
def test_a_calibration_measures_each_operator_and_network(
    calibrated: OperatorTable, reported: list[Step]
) -> None:
    operators: set[str] = set()
    for arch in SPACE:
        operators |= operators_of(SPACE, arch, IMAGES, batch=2).keys()
    assert calibrated.operators.keys() == operators
    assert all(0 < ms < 1000 for ms in calibrated.operators.values())
    names = {each.architecture for each in calibrated.architectures}
    assert names == {SPACE.to_string(arch) for arch in SPACE}
    assert (calibrated.device, calibrated.batch, calibrated.threads) == ("cpu", 2, 1)
    assert {(step.done, step.total) for step in reported} >= {(0, 8), (8, 8)}


def test_a_prediction_is_linear_in_the_sum_of_the_operators(calibrated: OperatorTable) -> None:
    latency = PredictedLatency(calibrated, SPACE, IMAGES)
    for each in calibrated.architectures:
        arch = SPACE.from_string(each.architecture)
        counts = operators_of(SPACE, arch, IMAGES, batch=2)
        total = sum(calibrated.operators[name] for name in counts.elements())
        expected = calibrated.intercept + calibrated.slope * total
        assert latency(arch) == pytest.approx(expected)
        assert each.predicted_ms == pytest.approx(expected)
    assert latency.repeatable
    assert latency.name == "predicted for eager PyTorch on cpu, batch 2, threads 1"


def test_the_error_is_measured_on_held_out_architectures(calibrated: OperatorTable) -> None:
    held_out = [each for each in calibrated.architectures if each.held_out]
    measured = np.array([each.measured_ms for each in held_out])
    predicted = np.array([each.predicted_ms for each in held_out])
    relative = np.abs(predicted / measured - 1)
    error = calibrated.error
    assert error.architectures == len(held_out) == 2
    assert error.median == pytest.approx(np.median(relative))
    assert error.p90 == pytest.approx(np.quantile(relative, 0.9))
    if error.spearman is None:
        assert np.ptp(predicted) == 0 or np.ptp(measured) == 0
    else:
        ranks = np.corrcoef(rankdata(predicted), rankdata(measured))[0, 1]
        assert error.spearman == pytest.approx(ranks)


def test_the_line_minimizes_relative_squared_errors(calibrated: OperatorTable) -> None:
    fitted = [each for each in calibrated.architectures if not each.held_out]
    measured = np.array([each.measured_ms for each in fitted])
    sums = np.array(
        [
            sum(
                calibrated.operators[name]
                for name in operators_of(
                    SPACE, SPACE.from_string(each.architecture), IMAGES, batch=2
                ).elements()
            )
            for each in fitted
        ]
    )

    def squares(intercept: float, slope: float) -> float:
        return float((((intercept + slope * sums) / measured - 1) ** 2).sum())

    best = squares(calibrated.intercept, calibrated.slope)
    assert min(calibrated.intercept, calibrated.slope) >= 0
    for factor in (0.9, 0.99, 1.01, 1.1):
        assert squares(calibrated.intercept, calibrated.slope * factor) >= best
        assert squares(calibrated.intercept * factor + (factor - 0.9) / 100, 0) >= best


TABLE = OperatorTable(
    space="ResNetDepthSpace",
    signature=of_images(1, 16, 16),
    device="cpu",
    machine="a machine",
    batch=1,
    threads=1,
    operators={"add(1×2×16×16, 1×2×16×16)": 0.25, "relu(1×2, inplace=True)": 0.5},
    slope=1.5,
    intercept=0.125,
    error=PredictionError(architectures=2, median=0.1, p90=0.2, spearman=None),
    measurement_noise=0.0,
    architectures=(Calibrated("1-1-1", 1.0, 1.1, held_out=True),),
)


def test_the_sum_counts_every_call_of_an_operator() -> None:
    counts = {"add(1×2×16×16, 1×2×16×16)": 2, "relu(1×2, inplace=True)": 3}
    assert TABLE.predict(counts) == 0.125 + 1.5 * (2 * 0.25 + 3 * 0.5)


def test_a_table_is_read_back_unchanged(tmp_path: Path, calibrated: OperatorTable) -> None:
    for number, table in enumerate((TABLE, calibrated)):
        path = tmp_path / f"{number}.json"
        write_operator_table(table, path)
        assert read_operator_table(path) == table
    latency = find_latency(str(path), space=SPACE, signature=IMAGES)
    assert latency == PredictedLatency(calibrated, SPACE, IMAGES)
    arch = SPACE.architecture(1, 2, 1)
    assert pickle.loads(pickle.dumps(latency))(arch) == latency(arch)


def test_the_error_names_an_operator_that_was_not_measured() -> None:
    latency = PredictedLatency(TABLE, SPACE, IMAGES)
    with pytest.raises(
        SpaceError, match=r"1-1-2 has an operator .*conv2d\(.*more .* than 1 .*--sa"
    ):
        latency(SPACE.architecture(1, 1, 2))


@pytest.mark.parametrize(
    ("space", "signature"),
    [
        (Small(), IMAGES),
        (SPACE, of_images(3, 32, 32)),
        (SPACE, of_images(1, 16, 16, outputs=100)),
    ],
    ids=["space", "shape", "classes"],
)
def test_a_table_of_another_space_or_signature_is_refused(space: Any, signature: Signature) -> None:
    with pytest.raises(DataError, match=r"^the calibration is for ResNetDepthSpace with images 1×"):
        PredictedLatency(TABLE, space, signature)


def changed(folder: Path, **changes: Any) -> Path:
    """Write the table with some entries changed, and without entries that are `...`.

    The checksum matches the changed entries, so that it is not the reason of the refusal.
    """
    path = folder / "table.json"
    write_operator_table(TABLE, path)
    content = json.loads(path.read_text(encoding="utf-8")) | changes
    del content["sha256"]
    kept = {name: value for name, value in content.items() if value is not ...}
    path.write_text(json.dumps(with_checksum(kept)), encoding="utf-8")
    return path


def test_a_table_of_the_first_version_is_read(tmp_path: Path) -> None:
    images = {"signature": ..., "shape": [1, 16, 16], "num_classes": 10}
    path = changed(tmp_path, **images)
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["sha256"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert read_operator_table(path) == TABLE
    for shape in ([1, 16], [1, 16, -16], None):
        path.write_text(json.dumps(content | {"shape": shape}), encoding="utf-8")
        with pytest.raises(DataError, match="diswot latency calibrate"):
            read_operator_table(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", 2),
        ("schema", ...),
        ("space", 3),
        ("signature", None),
        ("signature", {"inputs": [], "outputs": 10, "facts": {}}),
        ("signature", TABLE.signature.to_json() | {"outputs": 0}),
        ("signature", TABLE.signature.to_json() | {"inputs": [{"name": "images"}]}),
        ("threads", True),
        ("batch", 1.5),
        ("operators", []),
        ("operators", {"add": "fast"}),
        ("operators", {"add": float("nan")}),
        ("operators", {"add": -1}),
        ("operators", ...),
        ("slope", float("inf")),
        ("intercept", -1),
        ("error", None),
        ("error", {}),
        ("measurement_noise", "none"),
        ("architectures", [1]),
        ("architectures", None),
    ],
)
def test_a_damaged_table_is_refused_in_one_line(tmp_path: Path, name: str, value: object) -> None:
    path = changed(tmp_path, **{name: value})
    with pytest.raises(DataError, match=r"table.json is .*diswot latency calibrate") as refusal:
        read_operator_table(path)
    assert "\n" not in str(refusal.value)


def test_noise_under_its_former_name_is_read(tmp_path: Path) -> None:
    former = changed(tmp_path, measurement_noise=..., disturbance=TABLE.measurement_noise)
    assert read_operator_table(former) == TABLE


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{", b"\xff\x00", b"[" * 100_000])
def test_a_file_that_is_not_a_table_is_a_one_line_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"table.json is no") as refusal:
        read_operator_table(path)
    assert "\n" not in str(refusal.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=damaged(json.dumps({"schema": 1, "shape": [1, 16, 16], "space": "S"}).encode()))
def test_any_file_content_is_refused_as_data_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.json"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read_operator_table(path)


@pytest.mark.parametrize(
    ("space", "options", "message"),
    [
        (SPACE, {"sample": 5}, "sample of at least 6, but got 5"),
        (SPACE, {"threads": 0}, "threads of at least 1"),
        (SPACE, {"batch": 0}, "batch of at least 1"),
        (Small(), {}, "the space has 4 architectures"),
    ],
)
def test_invalid_calibration_options_are_refused(
    space: Small, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        calibrate(space, IMAGES, **options)


class ManyRaise(BuildRaises):
    """As many architectures as a calibration needs, all of them faulty."""

    def sample(self, rng: np.random.Generator) -> Architecture:
        return self.architecture(int(rng.integers(1000)))


def test_the_error_names_a_network_that_cannot_be_built() -> None:
    with pytest.raises(SpaceError, match=r"^architecture width=\d+: .*raised RuntimeError"):
        calibrate(ManyRaise(), IMAGES)


class DiffersOnMeta(nn.Module):
    """Calls a function that it does not call on the meta device."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) if x.is_meta else torch.flatten(x + 1, 1)


class DiffersOnMetaSpace(ManyRaise):
    """Networks that compute something else on the meta device."""

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        scale = nn.ReLU() if torch.empty(0).is_meta else nn.Identity()
        return nn.Sequential(scale, DiffersOnMeta(), nn.Linear(256, num_classes))


def test_a_network_that_differs_on_the_meta_device_is_refused() -> None:
    with pytest.raises(
        SpaceError, match=r"runs other operators on cpu .*: measure it \(--latency eager\)$"
    ):
        calibrate(DiffersOnMetaSpace(), IMAGES, sample=6)
