"""Teacher–student pairs of the literature: published and measured accuracies."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diswot.bench.loss_table import ALONE, LossRow, LossTableSettings, loss_table
from diswot.csv_table import read_table
from diswot.errors import OptionError
from diswot.progress import Progress
from diswot.tasks.images.teachers import TEACHERS

METHODS = {
    "vanilla": ALONE,
    "KD": "0.1*ce + 0.9*kd(T=4)",
    **{
        name: f"ce + {name.lower()}"
        for name in (
            *("FitNet", "AT", "SP", "CC", "VID", "RKD", "PKT"),
            *("AB", "FT", "FSP", "NST", "CRD", "DKD"),
        )
    },
}
"""Method name in published tables → loss expression, with the default weights."""

PAIRS = Path("kd-tables") / "kd_pairs.csv"
"""Path of the published figures relative to the data root."""


@dataclass(frozen=True)
class Published:
    """A published accuracy.

    Attributes:
        source: paper or repository.
        method: a key of `METHODS`.
        accuracy: test accuracy of the student in %.
    """

    source: str
    method: str
    accuracy: float


@dataclass(frozen=True)
class PairRow:
    """Published and measured result of one method on one pair.

    Attributes:
        published: published accuracy, or `None`.
        measured: own measurement.
    """

    published: Published | None
    measured: LossRow


def measure_pair(
    pair: str,
    methods: Sequence[str],
    settings: LossTableSettings,
    out: Path,
    *,
    published: Path | None = None,
    workers: int = 1,
    progress: Progress,
) -> list[PairRow]:
    """Train the student of a pair with each method, for comparison with published accuracies.

    Args:
        pair: TEACHER/STUDENT, names of `diswot list teachers`.
        methods: keys of `METHODS`; `vanilla` is added if missing.
        settings: data, epochs and seeds; teacher, students and losses are set by the pair.
        out: a new folder, or an interrupted one with the same settings, which is resumed.
        published: path of a CSV table of published figures; `None` for none.
        workers: number of processes.
        progress: called after every training.

    Raises:
        DiswotError: a name is unknown, or the networks do not fit the data.
        RunError: trainings failed; the results of the others are kept.
    """
    teacher, student = _names(pair)
    known = published_figures(teacher, student, published)
    names = tuple(dict.fromkeys(("vanilla", *methods)))
    for name in names:
        if name not in METHODS:
            raise OptionError(f"unknown method {name!r}: choose from {', '.join(METHODS)}")
    asked = LossTableSettings(
        **{
            **vars(settings),
            "teacher": teacher,
            "students": (student,),
            "losses": tuple(METHODS[name] for name in names),
        }
    )
    rows = loss_table(asked, out, workers=workers, progress=progress)
    return [PairRow(known.get(name), row) for name, row in zip(names, rows, strict=True)]


def published_figures(teacher: str, student: str, path: Path | None) -> dict[str, Published]:
    """Return method → published accuracy of a pair on CIFAR-100; of several, the first.

    Raises:
        DiswotError: the table is damaged.
    """
    results: dict[str, Published] = {}
    if path is None:
        return results
    for row in read_table(path):
        pair = tuple(_plain(row[name]) for name in ("teacher", "student"))
        if row["dataset"] != "CIFAR-100" or pair != (_plain(teacher), _plain(student)):
            continue
        printed = {row["method"]: row["student_kd_acc"], "vanilla": row["student_vanilla_acc"]}
        for method, accuracy in printed.items():
            if accuracy:
                results.setdefault(method, Published(row["source"], method, float(accuracy)))
    return results


def _names(pair: str) -> tuple[str, str]:
    teacher, slash, student = pair.partition("/")
    by_plain_name = {_plain(name): name for name in TEACHERS}
    unknown = [name for name in (teacher, student) if _plain(name) not in by_plain_name]
    if not slash or unknown:
        raise OptionError(
            f"Expected a pair TEACHER/STUDENT of names of `diswot list teachers`, but got {pair!r}"
        )
    return by_plain_name[_plain(teacher)], by_plain_name[_plain(student)]


def _plain(name: str) -> str:
    """Normalize a network's name: lower case, without hyphens and underscores."""
    return name.lower().replace("-", "").replace("_", "")
