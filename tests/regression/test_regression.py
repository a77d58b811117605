"""Fixed seeds reproduce the numbers that are recorded in `fixtures.json`.

Results are bit-identical with the processor and the torch version that the file names. Kernels
for other processors add in another order: scores then agree to `NEAR` (measured with AVX2 in
place of AVX-512, where the worst, zico, is 0.5 % off), and trainings, which amplify the last
digits, are not compared. To compare them on another machine, run
`python -m tests.regression.make` there before a change, and the tests after it.
"""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.regression.cases import FIXTURES, cases, environment, needs_shared
from tests.regression.places import SHARED, Places

KNOWN = json.loads(FIXTURES.read_text("utf-8"))
SAME_MACHINE = KNOWN["environment"] == environment()
NEAR = 1e-2


def test_every_case_has_a_fixture() -> None:
    assert set(cases()) == set(KNOWN["cases"])


def test_workers_and_interruptions_do_not_change_results() -> None:
    resumed, spread = (KNOWN["cases"][f"search/s0/{how}"] for how in ("resumed", "two workers"))
    assert resumed == spread == KNOWN["cases"]["search/s0/default scorer"]


@pytest.fixture(name="cache", scope="session")
def fixture_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN["cases"])
def test_results_equal_the_recorded_ones(name: str, tmp_path: Path, cache: Path) -> None:
    if needs_shared(name) and not SHARED.is_dir():
        pytest.skip(f"the reference data is not there: {SHARED}")
    if not SAME_MACHINE and name.startswith(("train/", "run/")):
        pytest.skip(
            f"fixtures.json was recorded on {KNOWN['environment']}; this is {environment()}"
        )
    if "hf teacher" in name:
        pytest.importorskip("transformers", reason="the extra hf is not installed")
    if name.startswith("run/"):
        pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    found = json.loads(json.dumps(cases()[name](Places(tmp_path, SHARED, cache))))
    expected = KNOWN["cases"][name]
    assert differences(found, expected, near=0.0 if SAME_MACHINE else NEAR) == []


def differences(found: Any, expected: Any, *, near: float = 0.0, at: str = "") -> list[str]:
    """Return the differences of two records: keys, lengths, names, numbers by more than `near`."""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = dict.fromkeys([*expected, *found])
        pairs = [(key, found.get(key, "nothing"), expected.get(key, "nothing")) for key in keys]
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = [(str(i), *pair) for i, pair in enumerate(zip(found, expected, strict=True))]
    else:
        alike = repr(found) == repr(expected) or _are_near(found, expected, near)
        return [] if alike else [f"{at}: {expected!r} became {found!r}"]
    return [line for key, a, b in pairs for line in differences(a, b, near=near, at=f"{at}/{key}")]


def _are_near(found: Any, expected: Any, near: float) -> bool:
    floats = isinstance(found, float) and isinstance(expected, float)
    return floats and math.isclose(found, expected, rel_tol=near)


@pytest.mark.parametrize(
    ("found", "near", "lines"),
    [
        ({"a": [1.0, {"name": "x"}]}, 0.0, []),
        ({"a": [1.0 + 2e-16 * 2, {"name": "x"}]}, 0.0, ["/a/0: 1.0 became 1.0000000000000004"]),
        ({"a": [1.0 + 1e-9, {"name": "x"}]}, 1e-6, []),
        ({"a": [1.1, {"name": "x"}]}, 1e-6, ["/a/0: 1.0 became 1.1"]),
        ({"a": [1.0]}, 1e-6, ["/a: [1.0, {'name': 'x'}] became [1.0]"]),
        ({"b": 1}, 0.0, ["/a: [1.0, {'name': 'x'}] became 'nothing'", "/b: 'nothing' became 1"]),
    ],
)
def test_differences_are_reported_by_key(found: Any, near: float, lines: list[str]) -> None:
    assert differences(found, {"a": [1.0, {"name": "x"}]}, near=near) == lines
