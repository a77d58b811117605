"""Division of training examples among clients, at random or by a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.csv_table import Table, read_csv
from diswot.errors import DataError, OptionError
from diswot.seeding import generator_for

TRIES = 1000
"""Label mixes that are drawn for a client until it has at least two classes."""


@dataclass(frozen=True)
class Share:
    """The data of one client.

    Attributes:
        name: name of the client, which is also that of its folder.
        indices: indices of its training examples; `None` for all examples of `data`.
        data: a dataset of its own; `None` for examples of the run's data.
        max_params: limit on its student's parameters; `None` for that of the options.
    """

    name: str
    indices: tuple[int, ...] | None = None
    data: str | None = None
    max_params: int | None = None


def dirichlet_shares(
    labels: Tensor, *, clients: int, alpha: float, samples: int | None = None, seed: int = 0
) -> list[Share]:
    """Divide examples among clients with label mixes from a Dirichlet distribution.

    Every client draws a label mix from Dir(α) and takes its examples by it, without
    replacement; if a class runs out, its probability goes to the others. All clients have the
    same number of examples. A mix is drawn again until the client has two classes.

    Source: Hsu et al., "Measuring the Effects of Non-Identical Data Distribution for Federated
    Visual Classification", 2019, section 3.

    Args:
        labels: classes of the training examples (n,).
        clients: number of clients.
        alpha: parameter of the Dirichlet distribution; small values give few classes per client.
        samples: examples per client; by default all of them, divided evenly.
        seed: seed of the random choice.

    Raises:
        OptionError: there are too few examples or classes, or α is too small.

    Examples:
        >>> labels = torch.arange(100) % 10
        >>> [len(share.indices) for share in dirichlet_shares(labels, clients=4, alpha=0.5)]
        [25, 25, 25, 25]
    """
    size = len(labels) // clients if samples is None else samples
    if size < 2 or size * clients > len(labels):
        raise OptionError(
            f"Expected at least {max(size, 2) * clients:,} training examples, {max(size, 2):,} for "
            f"each of {clients} clients, but got {len(labels):,}: take fewer clients or --local-"
            "samples"
        )
    rng = generator_for(seed, "partition", clients, alpha)
    classes = np.unique(labels.numpy())
    pools = {int(c): list(rng.permutation(np.flatnonzero(labels.numpy() == c))) for c in classes}
    names = client_names(clients)
    return [Share(name, _drawn(pools, alpha, size, rng)) for name in names]


def client_names(count: int) -> list[str]:
    """Return the names of clients that have none of their own.

    Examples:
        >>> client_names(2)
        ['client-1', 'client-2']
    """
    width = len(str(count))
    return [f"client-{number:0{width}}" for number in range(1, count + 1)]


def _drawn(
    pools: dict[int, list[int]], alpha: float, size: int, rng: np.random.Generator
) -> tuple[int, ...]:
    """Take `size` examples out of the pools by a random label mix with two classes or more."""
    left = np.array([len(pool) for pool in pools.values()])
    for _ in range(TRIES):
        with np.errstate(invalid="ignore"):
            mix = rng.dirichlet(np.full(len(pools), alpha))
        counts = _counts(mix, left, size, rng)
        if counts is not None and (counts > 0).sum() >= 2:
            taken = [
                pool.pop()
                for pool, count in zip(pools.values(), counts, strict=True)
                for _ in range(int(count))
            ]
            return tuple(sorted(map(int, taken)))
    raise OptionError(
        f"Expected a division in which every client has two classes, but alpha {alpha:g} gave none "
        f"in {TRIES} tries: give a larger --alpha, or a --partition file"
    )


def _counts(
    mix: NDArray[np.float64], left: NDArray[np.int64], size: int, rng: np.random.Generator
) -> NDArray[np.int64] | None:
    """Return how many examples of each class a client takes; `None` for an invalid mix."""
    counts = np.zeros(len(left), dtype=np.int64)
    while (missing := size - counts.sum()) > 0:
        free = left - counts
        chances = np.where(free > 0, np.nan_to_num(mix), 0.0)
        if chances.sum() <= 0:  # all classes of the mix have run out
            if counts.sum() == 0 and not np.nan_to_num(mix).sum():
                return None
            chances = free.astype(float)
        counts += np.minimum(rng.multinomial(missing, chances / chances.sum()), free)
    return counts


def read_shares(path: str | Path, *, examples: int) -> list[Share]:
    """Read the clients of a CSV file.

    Args:
        path: file with the columns `client` and `index` (one row per training example) or
            `data` (one row per client), and optionally `max_params`.
        examples: number of training examples of the run's data.

    Raises:
        DataError: the file is malformed, or names an example that does not exist, or twice.
    """
    table = read_csv(Path(path))
    if "client" not in table.columns or not {"index", "data"} & set(table.columns):
        raise DataError(
            f"Expected columns client and index or data in {path}, but got "
            f"{', '.join(table.columns)}"
        )
    limits = _limits(table)
    if "data" in table.columns:
        names, data = table.column("client"), table.column("data")
        shares = [Share(n, None, d, limits.get(n)) for n, d in zip(names, data, strict=True)]
        if len({share.name for share in shares}) < len(shares):
            raise DataError(f"{path} names a client twice: give each dataset a client of its own")
    else:
        owned = _owned(table, examples)
        shares = [Share(n, tuple(i), None, limits.get(n)) for n, i in owned.items()]
    _check_names(shares, path)
    return shares


def _owned(table: Table, examples: int) -> dict[str, list[int]]:
    owned: dict[str, list[int]] = {}
    seen: dict[int, str] = {}
    for name, cell, line in zip(
        table.column("client"), table.column("index"), table.lines, strict=True
    ):
        if not cell.strip().isdecimal() or int(cell) >= examples:
            raise DataError(
                f"Expected an index from 0 to {examples - 1:,} in line {line} of {table.path}, but "
                f"got {cell!r}"
            )
        index = int(cell)
        if index in seen:
            raise DataError(
                f"line {line} of {table.path} gives example {index} to {name}, but {seen[index]} "
                "has it: name every example once"
            )
        seen[index] = name
        owned.setdefault(name, []).append(index)
    return owned


def _limits(table: Table) -> dict[str, int]:
    if "max_params" not in table.columns:
        return {}
    limits: dict[str, int] = {}
    rows = zip(table.column("client"), table.column("max_params"), table.lines, strict=True)
    for name, cell, line in rows:
        if not cell.strip().isdecimal() or not int(cell):
            raise DataError(
                f"Expected a number of parameters in line {line} of {table.path}, but got {cell!r}"
            )
        if limits.setdefault(name, int(cell)) != int(cell):
            raise DataError(f"{table.path} gives {name} two limits: give one")
    return limits


def _check_names(shares: Sequence[Share], path: str | Path) -> None:
    if len(shares) < 2:
        raise DataError(f"Expected at least two clients in {path}, but got {len(shares)}")
    for share in shares:
        if not share.name or share.name.startswith(".") or set("/\\\0:") & set(share.name):
            raise DataError(
                f"Expected client names that can be folder names in {path}, but got {share.name!r}"
            )


@dataclass(frozen=True)
class Mix:
    """How many examples of each class a client has.

    Attributes:
        counts: number of examples by class.
    """

    counts: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, labels: Tensor) -> "Mix":
        """Count the classes (n,) of examples."""
        found, counts = torch.unique(labels, return_counts=True)
        return cls({int(c): int(n) for c, n in zip(found, counts, strict=True)})

    def check(self, name: str) -> None:
        """Make sure that a client can be trained.

        Raises:
            DataError: it has no examples, or only one class.
        """
        if not self.counts:
            raise DataError(
                f"the client {name} has no training examples: give it some, or leave it out"
            )
        if len(self.counts) == 1:
            raise DataError(
                f"the client {name} has examples of one class only: give it at least two classes"
            )

    def shares(self, classes: int) -> NDArray[np.float64]:
        """Return the fraction of each class (classes,)."""
        total = np.array([self.counts.get(c, 0) for c in range(classes)], dtype=float)
        result: NDArray[np.float64] = total / total.sum()
        return result
