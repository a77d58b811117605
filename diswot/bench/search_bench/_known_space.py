"""A search space of measured architectures, and an evaluator that reads measurements."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from diswot.bench.measurement import Measured
from diswot.networks.costs import Costs
from diswot.scorers import Scorer
from diswot.search import Evaluator, Outcome
from search_spaces import Architecture, SearchSpace, Signature


class KnownSpace(SearchSpace):
    """A subset of a search space: some known architectures only.

    Mutation and crossover are those of the space. If the result is not a known architecture, it
    is replaced by the known one that differs in the fewest genes, at random among ties; a
    mutant is never its parent.

    Args:
        space: search space of the architectures.
        architectures: known architectures, at least two.

    Examples:
        >>> from search_spaces import ResNetDepthSpace
        >>> space = ResNetDepthSpace()
        >>> known = KnownSpace(space, [space.from_string(name) for name in ("1-1-1", "7-7-7")])
        >>> known.to_string(known.mutate(space.from_string("1-1-1"), np.random.default_rng(0)))
        '7-7-7'
    """

    def __init__(self, space: SearchSpace, architectures: Sequence[Architecture]) -> None:
        self._space = space
        self._known = tuple(architectures)
        self._places = {arch: index for index, arch in enumerate(self._known)}
        self._genes = _Genes(self._known)

    @property
    def size(self) -> int:
        """Number of known architectures."""
        return len(self._known)

    def __iter__(self) -> Iterator[Architecture]:
        """Iterate over the known architectures."""
        return iter(self._known)

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Draw a known architecture uniformly at random."""
        return self._known[rng.integers(len(self._known))]

    def mutate(self, arch: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a mutant of `arch`, or the nearest known architecture."""
        return self._nearest(self._space.mutate(arch, rng), rng, excluded=(arch,))

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a child of `a` and `b`, or the nearest known architecture."""
        return self._nearest(self._space.crossover(a, b, rng), rng)

    def _nearest(
        self,
        arch: Architecture,
        rng: np.random.Generator,
        excluded: Collection[Architecture] = (),
    ) -> Architecture:
        if arch in self._places and arch not in excluded:
            return arch
        distances = self._genes.distances(arch)
        # Hamming distance over genes; a mutant must differ from its parent.
        distances[[self._places[other] for other in excluded]] = np.inf
        return self._known[rng.choice(np.flatnonzero(distances == distances.min()))]

    def build(self, arch: Architecture, outputs: int) -> nn.Module:
        """Build the network as the space does."""
        return self._space.build(arch, outputs)

    def network(self, arch: Architecture, signature: Signature) -> nn.Module:
        """Build the network as the space does, for a signature."""
        return self._space.network(arch, signature)

    def to_string(self, arch: Architecture) -> str:
        """Write `arch` as the space does."""
        return self._space.to_string(arch)

    def from_string(self, text: str) -> Architecture:
        """Parse `text` as the space does."""
        return self._space.from_string(text)

    def canonical_key(self, arch: Architecture) -> str:
        """Return the canonical key of the space."""
        return self._space.canonical_key(arch)

    def effective(self, arch: Architecture) -> Architecture:
        """Return the effective architecture of the space."""
        return self._space.effective(arch)


class _Genes:
    """Genes of architectures as a matrix of integers (n, genes); 0 for absent genes."""

    def __init__(self, architectures: Sequence[Architecture]) -> None:
        genes = [dict(_genes_of(arch)) for arch in architectures]
        self._columns = tuple(dict.fromkeys(place for item in genes for place in item))
        self._codes = {(place, None): 0 for place in self._columns}
        for item in genes:
            for gene in item.items():
                self._codes.setdefault(gene, len(self._codes))
        self._rows = np.stack([self._row(item) for item in genes])

    def distances(self, arch: Architecture) -> NDArray[np.float64]:
        """Return the number of genes in which each architecture differs from `arch`, shape (n,)."""
        differs: NDArray[np.bool_] = self._rows != self._row(dict(_genes_of(arch)))
        distances: NDArray[np.float64] = differs.sum(axis=1, dtype=np.float64)
        return distances

    def _row(self, genes: Mapping[Any, Any]) -> NDArray[np.intp]:
        return np.array([self._codes.get((p, genes.get(p)), -1) for p in self._columns])


def _genes_of(part: Any, place: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield (index path, value) of the leaves of nested tuples."""
    if not isinstance(part, tuple):
        yield place, part
        return
    for number, inner in enumerate(part):
        yield from _genes_of(inner, (*place, number))


class RecordedEvaluator(Evaluator):
    """An evaluator that returns recorded measurements and builds no networks.

    Args:
        space: search space, or a `KnownSpace`.
        scorer: scorer whose terms are returned.
        records: architecture → measurements, for all architectures of the space.
        signature: signature of the networks.
    """

    def __init__(
        self,
        space: SearchSpace,
        scorer: Scorer,
        records: Mapping[Architecture, Measured],
        signature: Signature,
    ) -> None:
        super().__init__(space, scorer, (), signature)
        self._records = records

    def costs(self, arch: Architecture) -> Costs:
        """Return the recorded costs."""
        if arch not in self._costs:
            self._costs[arch] = Costs(self._records[arch].params, self._records[arch].macs)
        return self._costs[arch]

    def outcome(self, arch: Architecture, costs: Costs) -> Outcome:  # noqa: ARG002
        """Return the recorded terms, or the message of a failure."""
        record = self._records[arch]
        for term in self.scorer.terms:
            if term not in record.terms:
                return Outcome(failure=record.failures.get(term, f"{term} was not measured"))
        return Outcome({term: record.terms[term] for term in self.scorer.terms})
