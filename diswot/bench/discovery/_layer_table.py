"""The quantities of the layers of networks whose accuracies are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from diswot.bench.discovery._formula import QUANTITIES, Formula
from diswot.bench.ground_truths import GroundTruth
from diswot.bench.measurement import MeasurementSettings, evaluator_for
from diswot.bench.rank_statistics import Vector
from diswot.bench.record_store import RecordStore
from diswot.errors import DataError, first_line
from diswot.progress import Progress, Step
from diswot.scorers import layer_quantities
from diswot.scorers.student_fit import IMAGES, LayerCall, sum_of_layers
from diswot.search import Evaluator
from search_spaces import Architecture


@dataclass(frozen=True, eq=False)
class LayerTable:
    """The layers of networks with known accuracies.

    Attributes:
        name: name of the ground truth.
        networks: quantities of the layers that `student_fit` counts, symbol → values (L,).
        accuracies: accuracies in % (N,).
        params: numbers of parameters (N,).
        macs: multiply-adds (N,).
    """

    name: str
    networks: Sequence[Mapping[str, Vector]]
    accuracies: Vector
    params: Vector
    macs: Vector

    def __len__(self) -> int:
        return len(self.networks)

    def part(self, places: NDArray[np.int64], name: str) -> "LayerTable":
        """Return the table of some networks, under another name."""
        networks = [self.networks[place] for place in places]
        columns = (each[places] for each in (self.accuracies, self.params, self.macs))
        return LayerTable(name, networks, *columns)

    def scores(self, formula: Formula) -> Vector:
        """Return the sum of a formula over the layers of each network (N,)."""
        return np.add.reduceat(formula(self._layers), self._starts)

    @property
    def student_fit(self) -> Vector:
        """Values of the default score (N,), computed from the same quantities."""
        return np.array([float(sum_of_layers(_calls(network))) for network in self.networks])

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


def _calls(layers: Mapping[str, Vector]) -> list[LayerCall]:
    """Return the layers of a network as `student_fit` reads them."""
    rows = np.column_stack([layers[symbol] for symbol in ("q", "r", "P", "t", "c")])
    return [
        LayerCall(torch.tensor(q), torch.tensor(r), int(positions), int(taps), int(channels))
        for q, r, positions, taps, channels in rows
    ]


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
    about = {"truth": truth.name, "target": target, "images": IMAGES, **settings.to_json()}
    with RecordStore(folder, about, key=["arch"]) as store:
        for done, (name, arch) in enumerate(zip(names, truth.architectures, strict=True), start=1):
            if (name,) not in store.records:
                store.append({"arch": name, **_measured(evaluator, arch, name)})
            progress(Step(f"layers of {truth.name}", done, len(names)))
        records = [store.records[name,] for name in names]
    networks = [{s: np.array(record[s], dtype=float) for s in QUANTITIES} for record in records]
    costs = (np.array([record[each] for record in records], float) for each in ("params", "macs"))
    return LayerTable(truth.name, networks, truth.accuracies(target), *costs)


def _measured(evaluator: Evaluator, arch: Architecture, name: str) -> dict[str, Any]:
    """Return costs of a network and the quantities of its layers, as JSON values."""
    costs = evaluator.costs(arch)
    try:
        with evaluator.probe(arch, 0, costs) as (student, _):
            quantities = layer_quantities(student)
    except Exception as error:  # a network of users can raise anything
        raise DataError(
            f"{name} cannot be measured ({type(error).__name__}: {first_line(error)}): "
            "remove its row, or repair the space"
        ) from error
    layers = {
        symbol: [round(value, 5) for value in values.tolist()]
        for symbol, values in zip(QUANTITIES, quantities, strict=True)
    }
    return {"params": costs.params, "macs": costs.macs, **layers}
