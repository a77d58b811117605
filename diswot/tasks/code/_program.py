"""Labeled programs as normalized tokens, and their groups."""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from diswot.csv_table import excerpt
from diswot.errors import DataError
from diswot.tasks._names import named

NONE = "none"
"""Name of the class of programs without a vulnerability."""


@dataclass(frozen=True)
class Program:
    """A labeled program.

    Attributes:
        tokens: its normalized tokens.
        label: name of its class.
        group: programs of one group are in the same split; empty for no group.
    """

    tokens: tuple[str, ...]
    label: str
    group: str = ""

    @property
    def text(self) -> str:
        """The tokens as one text."""
        return " ".join(self.tokens)


Programs: TypeAlias = dict[str, list[Program]]
"""Split → programs; programs that are not split yet are `train`."""


def without_repetitions(programs: Programs) -> tuple[Programs, list[str]]:
    """Leave out repetitions of equal tokens with equal labels, and ambiguous programs.

    Equal tokens with the label `none` and with another label, such as a contract that is safe
    from one vulnerability and has another, get the other label; with two of those, they are
    left out.

    Returns:
        The programs, and notes on what was left out.
    """
    labels: dict[str, set[str]] = {}
    for program in (item for items in programs.values() for item in items):
        labels.setdefault(program.text, set()).add(program.label)
    results: Programs = {}
    seen: set[tuple[str, str]] = set()
    ambiguous = repeated = 0
    for split, items in programs.items():
        results[split] = []
        for program in items:
            others = labels[program.text] - {NONE}
            if len(others) > 1:
                ambiguous += 1
            elif (program.label == NONE and others) or (split, program.text) in seen:
                repeated += 1
            else:
                seen.add((split, program.text))
                results[split].append(program)
    notes = [f"repetitions of equal tokens left out: {repeated:,}"] * bool(repeated)
    notes += [f"programs with two classes left out: {ambiguous:,}"] * bool(ambiguous)
    return results, notes


def groups_of(programs: Sequence[Program]) -> list[int]:
    """Return the number of each program's group (n,).

    Programs with the same group, and programs with equal tokens, are in one group, also through
    other programs.

    Examples:
        >>> groups_of([Program(("a",), "x", "g"), Program(("a",), "x"), Program(("b",), "y", "g")])
        [0, 0, 0]
    """
    parents = list(range(len(programs)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    first: dict[Hashable, int] = {}
    for place, program in enumerate(programs):
        digest = hashlib.sha256(program.text.encode()).digest()
        for key in (digest, program.group):
            if key:
                one, other = sorted((root(first.setdefault(key, place)), root(place)))
                parents[other] = one
    return [root(place) for place in range(len(programs))]


def check_groups(programs: Mapping[str, Sequence[Program]], name: str) -> None:
    """Check that no group of programs is in two given splits.

    Raises:
        DataError: programs with the same group, or with equal tokens, are in two splits.
    """
    owners: dict[tuple[str, str], set[str]] = {}
    for split, items in programs.items():
        for program in items:
            owners.setdefault(("equal tokens", program.text), set()).add(split)
            if program.group:
                owners.setdefault(("the group", program.group), set()).add(split)
    if both := [(*owner, splits) for owner, splits in owners.items() if len(splits) > 1]:
        what, text, splits = both[0]
        raise DataError(
            f"{name} has {what} {excerpt(text)} in {' and '.join(sorted(splits))}, and "
            f"{len(both) - 1:,} more such: give programs that belong together the same split, or "
            "leave the split out"
        )


def held_out_groups(
    programs: list[Program], part: int, *, seed: int = 0
) -> tuple[list[Program], list[Program]]:
    """Hold out about one in `part` programs by group, stratified by class.

    Args:
        programs: the programs.
        part: 5 holds out a fifth.
        seed: seed of the random choice.

    Returns:
        The rest and the held-out programs.

    Raises:
        DataError: a class has too few groups.
    """
    # Imported here to keep commands that read no data fast to start.
    from sklearn.model_selection import StratifiedGroupKFold

    groups, labels = groups_of(programs), [program.label for program in programs]
    by_class: dict[str, set[int]] = {}
    for group, label in zip(groups, labels, strict=True):
        by_class.setdefault(label, set()).add(group)
    fewest = min(map(len, by_class.values()))
    if fewest < 2:
        few = sorted(label for label, own in by_class.items() if len(own) < 2)
        raise DataError(
            f"there are too few groups of programs of the classes {named(few)} to hold some out: "
            "add programs, to at least four different ones per class"
        )
    folds = StratifiedGroupKFold(min(part, fewest), shuffle=True, random_state=seed)
    rest, held = next(iter(folds.split(labels, labels, groups)))
    return [programs[place] for place in rest], [programs[place] for place in held]
