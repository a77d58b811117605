"""The quantities of the layers of networks whose accuracies are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diswot.bench.discovery._formula import QUANTITIES, Formula
from diswot.bench.ground_truths import GroundTruth
from diswot.bench.measurement import MeasurementSettings, evaluator_for
from diswot.bench.rank_statistics import Vector
from diswot.bench.record_store import RecordStore
from diswot.errors import DataError, first_line
from diswot.progress import Progress, Step
from diswot.scorers import find_scorer, layer_quantities, student_fit
from diswot.scorers.student_fit import IMAGES
from diswot.search import Evaluator
from search_spaces import Architecture

COLUMNS = ("params", "macs", "student_fit")
"""Numbers of each network in the records of measurements."""


@dataclass(frozen=True, eq=False)
class LayerTable:
    """The layers of networks with known accuracies.

    Attributes:
        name: name of the ground truth.
        networks: quantities of the layers that `student_fit` counts, symbol → values (L,).
        accuracies: accuracies in % (N,).
        params: numbers of parameters (N,).
        macs: multiply-adds (N,).
        student_fit: values of the default score (N,).
    """

    name: str
    networks: Sequence[Mapping[str, Vector]]
    accuracies: Vector
    params: Vector
    macs: Vector
    student_fit: Vector

    def __len__(self) -> int:
        return len(self.networks)

    def part(self, places: NDArray[np.int64], name: str) -> "LayerTable":
        """Return the table of some networks, under another name."""
        networks = [self.networks[place] for place in places]
        columns = (self.accuracies, self.params, self.macs, self.student_fit)
        return LayerTable(name, networks, *(each[places] for each in columns))

    def scores(self, formula: Formula) -> Vector:
        """Return the sum of a formula over the layers of each network (N,)."""
        return np.add.reduceat(formula(self._layers), self._starts)

    @cached_property
    def _layers(self) -> dict[str, Vector]:
        return {
            symbol: np.concatenate([network[symbol] for network in self.networks])
            for symbol in QUANTITIES
        }

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        lengths = [len(network["q"]) for network in self.networks]
        return np.cumsum([0, *lengths[:-1]])


def measured_table(
    truth: GroundTruth, target: str, settings: MeasurementSettings, folder: Path, progress: Progress
) -> LayerTable:
    """Measure the layers of all networks of a ground truth; resumable.

    Args:
        truth: the ground truth.
        target: the column of accuracies.
        settings: space, data and seed of the measurement.
        folder: a new folder, or an interrupted one with the same settings, which is resumed.
        progress: called after every network.

    Raises:
        DataError: a network cannot be measured; the message names it.
    """
    evaluator = evaluator_for(settings)
    names = [truth.space.to_string(arch) for arch in truth.architectures]
    about = {
        "truth": truth.name,
        "target": target,
        "images": IMAGES,
        "scorer_versions": dict(find_scorer("student_fit").versions),
        **settings.to_json(),
    }
    with RecordStore(folder, about, key=["arch"]) as store:
        for done, (name, arch) in enumerate(zip(names, truth.architectures, strict=True), start=1):
            if (name,) not in store.records:
                store.append({"arch": name, **_measured(evaluator, arch, name)})
            progress(Step(f"layers of {truth.name}", done, len(names)))
        records = [store.records[name,] for name in names]
    networks = [{s: np.array(record[s], dtype=float) for s in QUANTITIES} for record in records]
    columns = (np.array([record[each] for record in records], float) for each in COLUMNS)
    return LayerTable(truth.name, networks, truth.accuracies(target), *columns)


def _measured(evaluator: Evaluator, arch: Architecture, name: str) -> dict[str, Any]:
    """Return costs of a network and the quantities of its layers, as JSON values."""
    costs = evaluator.costs(arch)
    try:
        with evaluator.probe(arch, 0, costs) as (student, teacher):
            quantities, score = layer_quantities(student), float(student_fit(student, teacher))
    except Exception as error:  # a network of users can raise anything
        raise DataError(
            f"{name} cannot be measured ({type(error).__name__}: {first_line(error)}): "
            "remove its row, or repair the space"
        ) from error
    layers = {
        symbol: [round(value, 5) for value in values.tolist()]
        for symbol, values in zip(QUANTITIES, quantities, strict=True)
    }
    return dict(zip(COLUMNS, (costs.params, costs.macs, score), strict=True)) | layers
