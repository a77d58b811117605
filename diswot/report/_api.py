"""`write_report`: write the HTML page and the plots of a run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from diswot.errors import RunFolderError, first_line
from diswot.options import takes_options
from diswot.pipeline import whole_run_of
from diswot.plots import Figure, Plot, require_png, write_figure
from diswot.report._network import Drawing, read_network
from diswot.report._outcome import Outcome, read_outcome
from diswot.report._page import Contents, write_page
from diswot.report._plots import search_plots
from diswot.report._provenance import known_task
from diswot.report._rendering import save_page
from diswot.report._roles import Roles
from diswot.report._selections import selection_plots
from diswot.report._sound import check_sound
from diswot.report._trainings import read_curves, read_growing_curves, training_plots
from diswot.report._whole_page import whole_page
from diswot.runs import MANIFEST, RESULT, Activity, working_in
from diswot.search import SearchResult, load_run, read_manifest
from search_spaces import SearchSpace

PAGE, PLOTS = "report.html", "report"


@dataclass(frozen=True)
class Report:
    """The files of a report.

    Attributes:
        page: the HTML page.
        plots: each plot as SVG, and as PNG if the extra `plots` is installed.
    """

    page: Path
    plots: tuple[Path, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files that were written, the page first."""
        return (self.page, *self.plots)


@takes_options
def write_report(
    folder: str | Path, *, space: SearchSpace | None = None, plots: bool | None = None
) -> Report:
    """Write the report of a run: a self-contained page `report.html`, and plots as files.

    The page has the winner, scores against each cost with the Pareto front, convergence, the
    winner's architecture and network, the trainings, failures, and all settings. Nothing that
    the run folder names is imported. The same run gives identical files; older ones are
    replaced.

    Args:
        folder: the run folder.
        space: the search space, if it is not a built-in one; without it, the winner's network
            is not drawn.
        plots: whether to write each plot into `report/`: `True` for SVG and PNG, `False` for
            neither; by default SVG, and PNG if the extra `plots` is installed.

    Returns:
        Paths of the written files.

    Raises:
        RunFolderError: the folder is not a run folder, is damaged or cannot be written, or its
            search did not finish.
        MissingExtraError: PNG files are requested and the extra `plots` is not installed.

    Examples:
        >>> import tempfile, diswot
        >>> place = Path(tempfile.mkdtemp()) / "run"
        >>> result = diswot.search("resnet20", "s0", population=2, generations=1, repeats=1,
        ...                        batch_size=8, out=place)
        >>> write_report(place, plots=False).page.name
        'report.html'
    """
    if plots:
        require_png()
    run = Path(folder)
    if (method := whole_run_of(run)) is not None:
        with working_in(run, resumable=False):
            return _save(run, *whole_page(method, run), plots=plots)
    read_manifest(run)  # raises before a lock file is written into a folder of others
    with working_in(run, resumable=False):
        return _write(run, load_run(run, space=space), plots=plots)


def _write(run: Path, result: SearchResult, *, plots: bool | None) -> Report:
    contents = contents_of(result, run)
    try:
        # Render before writing: a damaged run leaves an existing report unchanged.
        page = write_page(contents, run)
    except RecursionError as error:
        raise RunFolderError(f"{run} is damaged (nested too deep): restore it") from error
    return _save(run, page, (*contents.search_plots, *contents.training_plots), plots=plots)


def _save(run: Path, page: str, every: Sequence[Plot], *, plots: bool | None) -> Report:
    drawn: list[Path] = []
    with writing_report(run):
        if plots is not False:
            (run / PLOTS).mkdir(exist_ok=True)
            drawn = [path for plot in every for path in write_figure(Figure.of(plot), run / PLOTS)]
        save_page(run / PAGE, page)
    return Report(run / PAGE, tuple(drawn))


@contextmanager
def writing_report(run: Path) -> Iterator[None]:
    """Explain inside the block why a report cannot be written.

    Raises:
        RunFolderError: the block raised an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise RunFolderError(
            f"the report cannot be written into {run} ({error.strerror or first_line(error)}): "
            "free some space, or copy the run to another disk"
        ) from error


def contents_of(result: SearchResult, run: Path, activity: Activity | None = None) -> Contents:
    """Return what the page of a run shows.

    Args:
        result: result of its search, so far if it is still running.
        run: the run folder.
        activity: what the run has done so far, if it is still running.

    Raises:
        RunFolderError: a file of the run is damaged.
    """
    check_sound(result, run)
    try:
        roles, task = Roles(result), known_task(result.manifest)
        metrics = () if task is None else task.metrics(result.signature)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"{run / MANIFEST} is damaged ({error!r}): restore it from a copy"
        ) from error
    curves = read_curves(run)
    if activity is not None:
        curves += read_growing_curves(run, curves, of=result.signature, metrics=metrics)
    return Contents(
        result,
        roles,
        read_outcome(run) if (run / RESULT).exists() else Outcome((), None, {}, {}),
        curves,
        _drawing(result),
        search_plots(result, roles),
        [*training_plots(curves), *selection_plots(curves)],
        activity,
    )


def _drawing(result: SearchResult) -> Drawing | str:
    """Return the drawing of the winner's network, or a sentence on why it cannot be drawn."""
    if result.space is None:
        return (
            f"The space {result.manifest['settings']['space']} is not built in, and nothing that "
            "a run folder names is imported: name it with --space (space=) to draw the network."
        )
    try:
        return read_network(result.best.build, result.signature)
    except Exception as error:  # noqa: BLE001  a network of the user's own can raise anything
        return f"The network cannot be drawn ({type(error).__name__}: {first_line(error)})."
