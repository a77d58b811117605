"""The built-in ground truths: published figures and damaged tables."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from diswot.bench.ground_truths import (
    TRUTHS,
    GroundTruth,
    digits_s0_truth,
    digits_thin_truth,
    find_truth,
    tiny_imagenet_mobile_truth,
)
from diswot.bench.rank_statistics import kendall
from diswot.errors import DataError, DiswotError, OptionError, UnknownNameError
from diswot.search import find_space, measure_costs
from search_spaces import ResNetDepthSpace
from tests.signatures import of_images

COUNTS = {
    "resnet-s0": 64,
    "nas-bench-201": 15_625,
    "nas-bench-macro": 6_561,
    "nats-sss": 32_768,
    "autoformer": 100,
}
NAMES = tuple(COUNTS)


@pytest.fixture(scope="module")
def truths(shared_data: Path) -> dict[str, GroundTruth]:
    return {name: find_truth(name, shared_data) for name in NAMES}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_every_architecture_occurs_once(
    truths: dict[str, GroundTruth], name: str, count: int
) -> None:
    truth = truths[name]
    assert truth.name == name
    assert len(truth) == len(set(truth.architectures)) == count
    assert truth.depths is None or truth.depths.shape == (count,)
    for target in truth.targets:
        assert truth.accuracies(target).shape == (count,)
        assert 0 < truth.accuracies(target).min() < truth.accuracies(target).max() < 100


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_space_finds_its_ground_truth(
    truths: dict[str, GroundTruth], name: str
) -> None:
    found = find_space(truths[name].space_name, of_images(3, 32, 32))
    arch = truths[name].architectures[0]
    assert found.from_string(truths[name].space.to_string(arch)) == arch


def test_plain_and_distilled_accuracies_correlate_as_published(
    truths: dict[str, GroundTruth],
) -> None:
    def agreement(name: str) -> float:
        return kendall(truths[name].accuracies("vanilla"), truths[name].accuracies("distilled"))

    assert agreement("resnet-s0") == pytest.approx(0.8356, abs=5e-5)
    assert agreement("autoformer") == pytest.approx(-0.27, abs=5e-3)


def test_parameter_count_correlates_on_s0_as_published(truths: dict[str, GroundTruth]) -> None:
    truth = truths["resnet-s0"]
    params = [
        float(measure_costs(partial(truth.space.build, arch, 100), of_images(3, 32, 32)).params)
        for arch in truth.architectures
    ]
    tau = kendall(np.array(params), truth.accuracies("distilled"))
    assert tau == pytest.approx(0.873, abs=5e-4)


def test_nas_bench_201_has_its_published_optimum_and_targets(
    truths: dict[str, GroundTruth],
) -> None:
    truth = truths["nas-bench-201"]
    assert list(truth.targets)[:4] == ["cifar10", "cifar100", "cifar10-12ep", "cifar100-12ep"]
    assert {"c10valid_valid", "c100_valid"} <= truth.targets.keys()
    assert truth.accuracies("cifar10").max() == pytest.approx(94.373, abs=5e-4)
    assert truth.accuracies("cifar100").max() == pytest.approx(73.513, abs=5e-4)
    assert truth.dataset("cifar10-12ep") == truth.dataset("c10valid_valid") == "cifar10"
    assert truth.dataset("cifar100-12ep") == truth.dataset("c100_valid") == "cifar100"


def test_depth_counts_layers_on_the_longest_path(truths: dict[str, GroundTruth]) -> None:
    truth = truths["nas-bench-201"]
    arch = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"
    place = truth.architectures.index(truth.space.from_string(arch))
    assert truth.depths is not None
    assert truth.depths[place] == 2
    assert truth.depths.max() == 3


def test_a_sample_keeps_architectures_and_accuracies_together(
    truths: dict[str, GroundTruth],
) -> None:
    truth = truths["autoformer"]
    sample = truth.sampled(20, 3)
    places = [truth.architectures.index(arch) for arch in sample.architectures]
    assert len(set(places)) == len(sample) == 20
    for target in truth.targets:
        np.testing.assert_array_equal(sample.accuracies(target), truth.accuracies(target)[places])
    assert sample.architectures == truth.sampled(20, 3).architectures
    assert sample.architectures != truth.sampled(20, 4).architectures
    assert set(truth.sampled(100, 0).architectures) == set(truth.architectures)


@pytest.mark.parametrize("count", [-1, 0, 9, 101])
def test_a_sample_that_is_too_large_or_too_small_is_refused(
    truths: dict[str, GroundTruth], count: int
) -> None:
    with pytest.raises(OptionError, match="Expected a sample of 10 to 100 architectures"):
        truths["autoformer"].sampled(count, 0)


def test_an_unknown_name_lists_the_known_ones(truths: dict[str, GroundTruth]) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'nas-bench-201'"):
        find_truth("nasbench201", Path())
    with pytest.raises(UnknownNameError, match="did you mean 'distilled'"):
        truths["resnet-s0"].accuracies("distillde")
    with pytest.raises(UnknownNameError, match="there are distilled, vanilla"):
        truths["resnet-s0"].dataset("???")


def test_every_ground_truth_has_a_one_line_description() -> None:
    for loader in TRUTHS.values():
        assert (loader.__doc__ or "").splitlines()[0].endswith(".")


def digits_table(folder: Path, change: Callable[[list[str]], object]) -> Path:
    rows = [
        f"{ResNetDepthSpace().to_string(arch)},{50 + sum(arch)},{60 + sum(arch)},0.5,0.4,3"
        for arch in ResNetDepthSpace()
    ]
    change(rows)
    path = folder / "digits-s0.csv"
    path.write_text("\n".join(["arch,vanilla,distilled,vanilla_sd,distilled_sd,seeds", *rows]))
    return path


def test_the_embedded_ground_truth_covers_digits(tmp_path: Path) -> None:
    truth = digits_s0_truth(Path(), path=digits_table(tmp_path, lambda _: None))
    assert list(truth.targets) == ["vanilla", "distilled"]
    assert (len(truth), truth.dataset("distilled"), truth.space_name) == (64, "digits", "s0")
    assert truth.accuracies("distilled").max() == 81
    assert truth.space.build(truth.architectures[0], 10).stem[0].in_channels == 1  # type: ignore[index, union-attr]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rows: rows.pop(), "has 63 rows, expected 64"),
        (lambda rows: rows.__setitem__(4, rows[2]), "line 6: .* is already on line 4"),
        (lambda rows: rows.__setitem__(0, "2-1-1,1,1,1,1,1"), "line 2: .* got '2'"),
        (lambda rows: rows.__setitem__(0, "1-1-1,,1,1,1,1"), "finite number .* 'vanilla'"),
    ],
)
def test_a_damaged_embedded_table_is_refused(
    tmp_path: Path, change: Callable[[list[str]], object], why: str
) -> None:
    with pytest.raises(DataError, match=why):
        digits_s0_truth(Path(), path=digits_table(tmp_path, change))


def test_the_error_names_a_missing_embedded_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file .*none\.csv"):
        digits_s0_truth(Path(), path=tmp_path / "none.csv")


def test_the_ground_truth_of_thin_networks_is_embedded(tmp_path: Path) -> None:
    truth = find_truth("digits-thin", tmp_path)
    assert (len(truth), truth.data, truth.space_name) == (320, "digits", "thin")
    assert list(truth.targets) == ["distilled", "vanilla", "short"]
    images, first = of_images(1, 16, 16), truth.architectures[0]
    costs = measure_costs(partial(truth.space.network, first, images), images)
    assert truth.params is not None
    assert costs.params == truth.params[0]
    assert truth.params.min() >= 1_000
    assert truth.params.max() <= 20_000
    with pytest.raises(DataError, match=r"there is no file .*none\.csv"):
        digits_thin_truth(tmp_path, path=tmp_path / "none.csv")


def test_the_ground_truth_of_mobile_networks_is_embedded(tmp_path: Path) -> None:
    truth = find_truth("tiny-imagenet-mobile", tmp_path)
    assert (len(truth), truth.data, truth.space_name) == (40, "tiny-imagenet-20", "mobile")
    assert list(truth.targets) == ["distilled", "validation"]
    assert truth.image_size == 32
    photos = of_images(3, 32, 32, outputs=20)
    assert truth.params is not None
    for index in (0, 39):
        build = partial(truth.space.network, truth.architectures[index], photos)
        assert measure_costs(build, photos).params == truth.params[index]
    counts, _ = np.histogram(truth.params, np.geomspace(20_000, 5_000_000, 11))
    assert counts.tolist() == [4] * 10
    with pytest.raises(DataError, match=r"there is no file .*none\.csv"):
        tiny_imagenet_mobile_truth(tmp_path, path=tmp_path / "none.csv")


def with_copy(shared_data: Path, root: Path, name: str, text: Callable[[str], str]) -> Path:
    (root / name).parent.mkdir(parents=True)
    (root / name).write_text(text((shared_data / name).read_text()))
    return root


@pytest.mark.parametrize(
    ("truth", "name", "text", "why"),
    [
        ("resnet-s0", "resnet-s0/accuracies.csv", lambda t: t[:600], "cells as in the header"),
        ("resnet-s0", "resnet-s0/accuracies.csv", lambda t: t.replace("kd_acc", "kd"), "column of"),
        ("resnet-s0", "resnet-s0/accuracies.csv", lambda _: "", "is empty"),
        ("nas-bench-201", "nas-bench-201/accuracies.csv", lambda t: t[: t.index("\n5,") + 1],
         "has 5 rows, expected 15,625"),
        ("nas-bench-201", "nas-bench-201/accuracies.csv", lambda _: "\0\1\2", "column of"),
        ("nas-bench-macro", "nas-bench-macro/accuracies.csv",
         lambda t: t.replace("2181386,65012224", "2181385,65012225"),
         "line 3: l1=k3,.* has 2,181,385 parameters in the table, but its network has 2,181,386"),
        ("nas-bench-macro", "nas-bench-macro/accuracies.csv",
         lambda t: t.replace("2181386,65012224", "2181386,65012225"),
         "line 3: .* has 65,012,225 multiply-adds in the table, .* has 65,012,224"),
        ("nas-bench-macro", "nas-bench-macro/accuracies.csv",
         lambda t: t.replace("387882,", "387882.5,"), "has 387,882.5 parameters in the table"),
        ("nas-bench-macro", "nas-bench-macro/accuracies.csv", lambda t: t.replace("387882,", "?,"),
         "expected a finite number in the column 'params'"),
        ("nats-sss", "nats-sss/accuracies.csv", lambda t: t[: t.rindex("\n\"")],
         "has 32,767 rows, expected 32,768"),
        ("nats-sss", "nats-sss/accuracies.csv", lambda t: t.replace("c5=24", "c5=25", 1),
         "line 3: .* got '25'"),
        ("autoformer", "vit-bench/autoformer.json", lambda t: t[:999], "is not JSON"),
        ("autoformer", "vit-bench/autoformer.json", lambda _: "[" * 99_999, "is not JSON"),
        ("autoformer", "vit-bench/autoformer.json", lambda _: "[1]", "not a list of records"),
        ("autoformer", "vit-bench/autoformer.json", lambda t: json.dumps(json.loads(t)[1:]),
         "has 99 rows, expected 100"),
        ("autoformer", "vit-bench/autoformer.json",
         lambda t: json.dumps([*json.loads(t)[1:], json.loads(t)[5]]), "5 and 100 are the same"),
        ("autoformer", "vit-bench/autoformer.json", lambda t: t.replace("192", "191", 1),
         "record 1: .* 191"),
        ("autoformer", "vit-bench/autoformer.json", lambda t: t.replace("68.66", "NaN", 1),
         "record 1: expected a finite number as cifar100_vanilla_acc, but got nan"),
        ("autoformer", "vit-bench/autoformer.json", lambda t: t.replace("68.66", '"?"', 1),
         "record 1: expected a finite number"),
    ],
)  # fmt: skip
def test_a_damaged_table_is_refused_in_one_line(
    shared_data: Path, tmp_path: Path, truth: str, name: str, text: Callable[[str], str], why: str
) -> None:
    root = with_copy(shared_data, tmp_path / "root", name, text)
    with pytest.raises(DiswotError, match=why) as caught:
        find_truth(truth, root)
    assert "\n" not in str(caught.value)
    assert name.rpartition("/")[2] in str(caught.value)


def test_an_additional_numeric_column_is_a_target(shared_data: Path, tmp_path: Path) -> None:
    def widened(text: str) -> str:
        head, *rows = text.splitlines()
        return "\n".join(
            [f"{head},in16_test,seed,note", *(f"{row},{i}.5,7,hm" for i, row in enumerate(rows))]
        )

    root = with_copy(shared_data, tmp_path / "root", "nas-bench-201/accuracies.csv", widened)
    truth = find_truth("nas-bench-201", root)
    assert truth.accuracies("in16_test")[:2].tolist() == [0.5, 1.5]
    assert truth.dataset("in16_test") == "imagenet16-120"
    assert "seed" in truth.targets
    assert "note" not in truth.targets
    assert "params_M" not in truth.targets
