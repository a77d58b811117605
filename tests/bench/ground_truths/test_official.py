"""The official NAS-Bench-201 file: as its own classes write it, damaged, and malicious."""

import csv
import itertools
import os
import pickle
import random
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nas_201_api import ArchResults, NASBench201API, ResultsCount

from diswot.bench.ground_truths import Conversion, table_from_official, truth_from_csv
from diswot.errors import DataError
from diswot.progress import Step
from search_spaces import NASBench201Space

EVALUATIONS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}
HEAD = [
    "index",
    "arch",
    "unique",
    "c10_test",
    "c100_test",
    "in16_test",
    "c10valid_valid",
    "c100_valid",
    "in16_valid",
]


def training(arch: str, dataset: str, seed: int, epochs: int, rng: random.Random) -> ResultsCount:
    def by_epoch() -> dict[int, float]:
        return {epoch: 100 * rng.random() for epoch in range(epochs)}

    def by_evaluation() -> dict[str, float]:
        names = itertools.product(EVALUATIONS[dataset], range(epochs))
        return {f"{name}@{epoch}": 100 * rng.random() for name, epoch in names}

    config = {"channel": 16, "num_cells": 5, "arch_str": arch, "class_num": 10}
    params, flops = np.float64(rng.random()), 100 * rng.random()
    found = ResultsCount(
        dataset, None, by_epoch(), by_epoch(), params, flops, config, seed, epochs, None
    )
    found.update_train_info(by_epoch(), by_epoch(), by_epoch(), by_epoch())
    found.update_eval(by_evaluation(), by_evaluation(), by_evaluation())
    found.update_latency([rng.random()])
    return found


def entry(index: int, arch: str, rng: random.Random, epochs: int) -> dict[str, Any]:
    found = {}
    for part, count in (("full", epochs), ("less", 2)):
        results = ArchResults(index, arch)
        for dataset in EVALUATIONS:
            for seed in (777, 888, 999)[: rng.randint(1, 3)]:
                results.update(dataset, seed, training(arch, dataset, seed, count, rng))
        results.clear_params()
        found[part] = results.state_dict()
    return found


def official(count: int = 12, epochs: int = 4) -> dict[str, Any]:
    """Return an official file of the first cells, built by the classes of the package."""
    space, rng = NASBench201Space(), random.Random(0)
    names = [space.to_string(arch) for arch in itertools.islice(space, 100, 100 + count)]
    return {
        "meta_archs": names,
        "total_archs": count,
        "arch2infos": {i: entry(i, name, rng, epochs) for i, name in enumerate(names)},
        "evaluated_indexes": set(range(count)),
    }


def save(content: object, path: Path, *, newer: bool = True, protocol: int = 2) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=newer, pickle_protocol=protocol)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return official()


@pytest.mark.parametrize(("newer", "protocol"), [(True, 2), (False, 2), (True, 4), (False, 4)])
def test_the_table_equals_what_the_nas_bench_package_reads(
    content: dict[str, Any], tmp_path: Path, newer: bool, protocol: int
) -> None:
    path = save(content, tmp_path / "official.pth", newer=newer, protocol=protocol)
    done = table_from_official(path, tmp_path / "table.csv")
    assert (done.architectures, done.left_out) == (12, ())
    api = NASBench201API(content, verbose=False)
    rows = rows_of(tmp_path / "table.csv")
    assert list(rows[0])[: len(HEAD)] == HEAD
    for index, row in enumerate(rows):
        assert (row["index"], row["arch"]) == (str(index), api[index])
        for end, hp in (("", "200"), ("_12ep", "12")):
            for short, dataset in (
                ("c10", "cifar10"), ("c100", "cifar100"), ("in16", "ImageNet16-120"),
            ):  # fmt: skip
                info = api.get_more_info(index, dataset, hp=hp, is_random=False)
                expected = info["test-accuracy"]
                assert float(row[f"{short}_test{end}"]) == pytest.approx(expected, rel=1e-5)
            info = api.get_more_info(index, "cifar10-valid", hp=hp, is_random=False)
            assert float(row[f"c10valid_valid{end}"]) == pytest.approx(
                info["valid-accuracy"], rel=1e-5
            )
        costs = api.get_cost_info(index, "cifar100", hp="200")
        assert float(row["flops_M"]) == pytest.approx(costs["flops"], rel=1e-5)
        assert float(row["params_M"]) == pytest.approx(costs["params"], rel=1e-5)


def test_the_table_can_be_loaded_as_a_ground_truth(content: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "table.csv"
    table_from_official(save(content, tmp_path / "official.pth"), out)
    truth = truth_from_csv(out, "c100_test", space="nas-bench-201", data="cifar100")
    assert len(truth) == 12


def test_columns_missing_for_some_architectures_are_left_out(
    content: dict[str, Any], tmp_path: Path
) -> None:
    older = {**content, "arch2infos": {}}
    for index, parts in content["arch2infos"].items():
        less = ArchResults(index, content["meta_archs"][index])
        rng = random.Random(index)
        less.update("cifar10-valid", 777, training("", "cifar10-valid", 777, 2, rng))
        older["arch2infos"][index] = {**parts, "less": less.state_dict()}
    done = table_from_official(save(older, tmp_path / "v1_0.pth"), tmp_path / "table.csv")
    assert "c10valid_valid_12ep" in done.columns
    assert done.left_out == (
        "c10_test_12ep", "c100_test_12ep", "in16_test_12ep", "c100_valid_12ep", "in16_valid_12ep",
    )  # fmt: skip
    assert "c10_test_12ep" not in rows_of(tmp_path / "table.csv")[0]


def test_weights_in_the_file_are_skipped(content: dict[str, Any], tmp_path: Path) -> None:
    heavy = official(2)
    for parts in heavy["arch2infos"].values():
        for training_ in parts["full"]["all_results"].values():
            training_["net_state_dict"] = torch.nn.Linear(3, 2).state_dict()
    for newer in (True, False):
        path = save(heavy, tmp_path / "heavy.pth", newer=newer)
        assert table_from_official(path, tmp_path / "table.csv").architectures == 2


def test_progress_is_reported_in_megabytes(content: dict[str, Any], tmp_path: Path) -> None:
    steps: list[Step] = []
    path = save(official(6, epochs=400), tmp_path / "official.pth")
    table_from_official(path, tmp_path / "table.csv", progress=steps.append)
    assert len(steps) == 6
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert 0 < steps[-1].done <= steps[-1].total == path.stat().st_size // 1_000_000


@pytest.mark.slow
def test_peak_memory_depends_on_one_entry_not_the_file(tmp_path: Path) -> None:
    def peak(path: Path, read: Callable[[Path], object]) -> int:
        tracemalloc.start()
        read(path)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    def convert(path: Path) -> Conversion:
        return table_from_official(path, tmp_path / "table.csv")

    few = save(official(4, epochs=60), tmp_path / "few.pth")
    many = save(official(24, epochs=60), tmp_path / "many.pth")
    whole = peak(many, lambda path: torch.load(path, weights_only=False))
    convert(few)  # whatever is loaded once is loaded here
    assert peak(many, convert) < 1.5 * peak(few, convert) < whole / 4


class Runs:
    """Runs a command when it is unpickled the usual way."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("newer", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("place", ["whole", "meta_archs", "entry", "accuracy"])
def test_code_in_a_malicious_file_is_not_executed(
    content: dict[str, Any], tmp_path: Path, newer: bool, protocol: int, place: str
) -> None:
    marker = tmp_path / "executed"
    hostile: Any = {**content, "arch2infos": dict(content["arch2infos"])}
    match place:
        case "whole":
            hostile = Runs(marker)
        case "entry":
            hostile["arch2infos"][3] = {"full": Runs(marker), "less": {}}
        case "accuracy":
            hostile["arch2infos"][3] = {"full": {"arch_index": Runs(marker)}, "less": {}}
        case _:
            hostile[place] = [Runs(marker)]
    path = save(hostile, tmp_path / "hostile.pth", newer=newer, protocol=protocol)
    with pytest.raises(DataError, match=r"it asks to run posix\.system"):
        table_from_official(path, tmp_path / "table.csv")
    assert not marker.exists()
    assert not (tmp_path / "table.csv").exists()
    torch.load(path, weights_only=False)
    assert marker.exists()  # it would have run


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(0x1950A86A20F9469CFC6C, 2) + b"cbuiltins\neval\n(S'1'\ntR.",
        pickle.dumps(0x1950A86A20F9469CFC6C, 2) + b"(ibuiltins\neval\n.",
        pickle.dumps(0x1950A86A20F9469CFC6C, 2) + b"cnumpy\ndtype\n(X\x01\x00\x00\x00OtR.",
        pickle.dumps(12, 2),
        b"",
        b"\x80\x02}q\x00",
        b"PK\x03\x04 and no more",
        b"arch,acc\n",
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(DataError, match="is not a complete NAS-Bench-201 file") as caught:
        table_from_official(path, tmp_path / "table.csv")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("arch2infos"),
        lambda c: c.__setitem__("meta_archs", []),
        lambda c: c.__setitem__("meta_archs", c["meta_archs"][::-1]),
        lambda c: c.__setitem__("arch2infos", {}),
        lambda c: c["arch2infos"].__setitem__(40, c["arch2infos"][0]),
        lambda c: c["arch2infos"].__setitem__(2, {"full": {}, "less": {}}),
        lambda c: c["arch2infos"].__setitem__(2, {"full": 1}),
        lambda c: c["arch2infos"][0]["full"].__setitem__("dataset_seed", {"cifar100": [1]}),
        lambda c: c["arch2infos"][0]["full"].__setitem__("get_metrics", "no function"),
        lambda c: next(iter(c["arch2infos"][0]["full"]["all_results"].values())).__setitem__(
            "epochs", "many"
        ),
        lambda c: [
            each.__setitem__("params", float("nan"))
            for each in c["arch2infos"][0]["full"]["all_results"].values()
        ],
    ],
)
def test_a_file_with_another_layout_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    odd = official(3)
    change(odd)
    with pytest.raises(DataError, match="is not a complete NAS-Bench-201 file"):
        table_from_official(save(odd, tmp_path / "odd.pth"), tmp_path / "table.csv")


@pytest.mark.parametrize("newer", [True, False])
def test_a_truncated_file_is_refused(tmp_path: Path, newer: bool) -> None:
    whole = save(official(2), tmp_path / "whole.pth", newer=newer).read_bytes()
    path = tmp_path / "cut.pth"
    # Behind the pickle an older file has only the list of its weights, which is empty.
    for length in (*range(0, len(whole) - 64, len(whole) // 37), len(whole) - 64):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="is not a complete NAS-Bench-201 file"):
            table_from_official(path, tmp_path / "table.csv")
        assert not (tmp_path / "table.csv").exists()


def test_a_changed_byte_in_an_archive_is_detected(tmp_path: Path) -> None:
    path = save(official(2), tmp_path / "official.pth")
    whole = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
        pickled = archive.read(name)
    at = bytes(whole).index(pickled) + pickled.index(b"G") + 7  # within an accuracy
    whole[at] ^= 1
    path.write_bytes(bytes(whole))
    with pytest.raises(DataError, match="Bad CRC-32"):
        table_from_official(path, tmp_path / "table.csv")


def test_a_compressed_archive_is_refused(content: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, 2))
    with pytest.raises(DataError, match="its content is compressed"):
        table_from_official(path, tmp_path / "table.csv")


def test_the_error_names_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        table_from_official(tmp_path / "none.pth", tmp_path / "table.csv")
    path = save(official(1), tmp_path / "official.pth")
    with pytest.raises(DataError, match="there is no folder"):
        table_from_official(path, tmp_path / "none" / "table.csv")
