"""Teacher–student pairs of the literature: what their papers print, and what is measured here."""

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
"""Losses by the names that the published tables give them, with the weights of their cards."""

PAIRS = Path("kd-tables") / "kd_pairs.csv"
"""Where the published figures lie under a data root."""


@dataclass(frozen=True)
class Published:
    """A published accuracy.

    Attributes:
        source: who printed it.
        method: a name of `METHODS`.
        accuracy: of the student, in %.
    """

    source: str
    method: str
    accuracy: float


@dataclass(frozen=True)
class PairRow:
    """One loss on one pair.

    Attributes:
        published: what was printed; `None` where nothing was.
        measured: what was found here.
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
    """Train the student of a pair by each method, next to the published accuracy.

    Args:
        pair: TEACHER/STUDENT, names of `diswot list teachers`.
        methods: names of `METHODS`; `vanilla` is always among them.
        settings: data, epochs and seeds; its teacher, students and losses are the pair's.
        out: a new folder, or one that was started with the same settings.
        published: a table of published figures; by default that of the data root, if any.
        workers: processes.
        progress: called with every training.

    Raises:
        DiswotError: something does not exist or does not fit.
        RunError: trainings failed; the others are kept.
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
    """Return what was printed for a pair on CIFAR-100, by method; of several, the first.

    Raises:
        DiswotError: the table is damaged.
    """
    found: dict[str, Published] = {}
    if path is None:
        return found
    for row in read_table(path):
        pair = tuple(_plain(row[name]) for name in ("teacher", "student"))
        if row["dataset"] != "CIFAR-100" or pair != (_plain(teacher), _plain(student)):
            continue
        printed = {row["method"]: row["student_kd_acc"], "vanilla": row["student_vanilla_acc"]}
        for method, accuracy in printed.items():
            if accuracy:
                found.setdefault(method, Published(row["source"], method, float(accuracy)))
    return found


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
    """Return a network's name without what papers write differently."""
    return name.lower().replace("-", "").replace("_", "")
