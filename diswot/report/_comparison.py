"""`compare_runs`: several runs of one task on one page."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diswot.errors import RunFolderError, first_line
from diswot.options import takes_options
from diswot.report._compared import Compared, ComparedRun, read_compared
from diswot.report._comparison_plots import convergence_plot, front_plots, student_plots
from diswot.report._rendering import render, save_page
from diswot.tabular import Tabular
from diswot.tasks import Measure

PAGE = "comparison.html"

_OURS = b'<meta name="generator" content="diswot '
"""In every page of ours; another file is not overwritten."""


@dataclass(frozen=True)
class Row:
    """A run in a comparison.

    Attributes:
        run: name of the run.
        test: measure of its student on the test split; `None` if no student was trained.
        params: parameters of the student, or of the winner; `None` if not known.
        macs: multiply-adds of one example.
        latency_ms: median latency of one example, if it was measured.
        score: score of its architecture in the search.
        candidates: number of evaluated candidates.
        architecture: name of the architecture.
        loss: loss that the student was trained with.
    """

    run: str
    test: Measure | None
    params: int | None
    macs: int | None
    latency_ms: float | None
    score: float | None
    candidates: int
    architecture: str
    loss: str | None


@dataclass(frozen=True)
class Comparison(Tabular):
    """Several runs that were compared.

    Attributes:
        page: the HTML page.
        task: name of their task.
        rows: the runs, in the order in which they were given.
        differences: the settings in which they differ: name → value of each run.
        notes: sentences on what is missing or cannot be compared.
    """

    page: Path
    task: str
    rows: tuple[Row, ...]
    differences: dict[str, list[str]]
    notes: tuple[str, ...]

    @property
    def caption(self) -> str:
        """Page and number of the runs in one line."""
        return f"{len(self.rows)} runs compared in {self.page}"

    def to_records(self) -> list[dict[str, Any]]:
        """Return the runs with their students."""
        return [dict(vars(row)) for row in self.rows]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "page": str(self.page),
            "task": self.task,
            "runs": [asdict(row) for row in self.rows],
            "differences": self.differences,
            "notes": list(self.notes),
        }


@takes_options
def compare_runs(folders: Sequence[str | Path], *, out: str | Path = PAGE) -> Comparison:
    """Compare runs of one task on a self-contained HTML page.

    The page has the student of every run with its measure and interval, the settings that
    differ, the Pareto fronts over each other, the progress of the searches, and the training
    curves. Runs without trained students are compared by their searches.

    Args:
        folders: the run folders, at least two.
        out: the page to write; a former comparison is replaced.

    Raises:
        OptionError: there are fewer than two different runs, or they are of different tasks.
        RunFolderError: a folder is not a run folder, is damaged, or its search did not finish;
            or the page cannot be written.
    """
    path = Path(out)
    _check_out(path)
    compared = read_compared(folders)
    rows = tuple(_row(run) for run in compared.runs)
    try:
        page = _page(compared, rows)
        save_page(path, page)
    except OSError as error:
        raise RunFolderError(
            f"{path} cannot be written ({error.strerror or first_line(error)}): name another file "
            "with --out"
        ) from error
    task = compared.runs[0].task
    return Comparison(path, task, rows, compared.differences, tuple(compared.notes))


def _check_out(path: Path) -> None:
    """Make sure that the page can be written, and replaces nothing but a page of ours."""
    try:
        if not path.parent.is_dir():
            raise RunFolderError(f"there is no folder {path.parent}: create it, or name another")
        if path.exists() and (not path.is_file() or _OURS not in path.read_bytes()[:4096]):
            raise RunFolderError(f"{path} already exists: name another file with --out")
    except OSError as error:
        raise RunFolderError(f"{path} cannot be written: {error.strerror}") from error


def _row(run: ComparedRun) -> Row:
    student, candidate = run.student, run.candidate(run.chosen)
    latency = next((r.latency_ms for r in run.outcome.rows if r.architecture == run.chosen), None)
    if candidate is not None and latency is None:
        latency = candidate.costs.latency_ms
    return Row(
        run.name,
        None if student is None else student.student.test,
        None if candidate is None else candidate.params,
        None if candidate is None else candidate.macs,
        latency,
        None if candidate is None else candidate.score,
        sum(item.within_budget for item in run.result.candidates),
        run.chosen,
        None if student is None else student.student.loss,
    )


def _page(compared: Compared, rows: Sequence[Row]) -> str:
    students = [
        (run, curve, run.candidate(curve.student.architecture))
        for run in compared.runs
        for curve in run.curves
    ]
    values = {
        "runs": compared.runs,
        "rows": rows,
        "task": compared.runs[0].task,
        "measure": compared.measure,
        "latencies": any(row.latency_ms is not None for row in rows),
        "differences": compared.differences,
        "students": students,
        "notes": compared.notes,
        "sections": list(_sections(students=bool(students))),
    }
    plots = {
        "student_papers": student_plots(compared),
        "search_papers": [*front_plots(compared), convergence_plot(compared)],
    }
    return render("comparison.html.j2", values, plots)


def _sections(*, students: bool) -> Iterator[tuple[str, str]]:
    yield "runs", "Runs"
    yield "settings", "Settings that differ"
    if students:
        yield "students", "Students"
    yield "search", "Search"
