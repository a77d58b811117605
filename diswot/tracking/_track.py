"""Progress reports sent to trackers."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diswot.bars import displayed
from diswot.devices import is_first
from diswot.errors import first_line
from diswot.progress import Progress, Step, message
from diswot.runs import MANIFEST, METHOD_MANIFEST, METRICS, REPORT, RESULT, TRAINING_MANIFEST
from diswot.runs.config import CONFIG
from diswot.runs.folder import read_json, write_json
from diswot.tracking._tracker import Tracker, TrackerSource, find_trackers

RUN_IDS = "tracking.json"
"""The file of a run folder that has the run's identifier in each tracker."""

FILES = (
    *(CONFIG, MANIFEST, METHOD_MANIFEST, TRAINING_MANIFEST),
    *(RESULT, REPORT, "report.html", METRICS),
)
"""Files of a run folder that trackers store, with everything in `STUDENT`."""

STUDENT = "student"
"""The folder of the exported student."""

_NOT_ALLOWED = re.compile(r"[^\w\-./]+", re.ASCII)
"""Characters that some tracker does not allow in the name of a value, and spaces."""


@contextmanager
def track(
    names: str | Sequence[str], folder: str | Path, progress: Progress | bool | None = None
) -> Iterator[Progress]:
    """Send what a search or a training measures to trackers.

    Of a search every candidate is stored (costs, terms of the score), of a training every epoch
    (losses, metric on the validation split, learning rate) and the result on the test split; of
    the run folder the options, the tables and the exported student. A run that is resumed in the
    same folder continues in the tracker.

    A tracker that fails, for example because its server does not answer, is reported once and then
    left out; the search or training continues.

    Args:
        names: names of trackers: `tensorboard`, `mlflow`, `wandb`, or `package.module:Class`;
            nothing is tracked without any.
        folder: the run folder, as given to `out`. Nothing is written there before the run does.
        progress: also receives the reports, see [`search`][diswot.search.search].

    Yields:
        What to pass on as `progress`.

    Raises:
        UnknownNameError: there is no such tracker.
        MissingExtraError: the package of a tracker is not installed.
        OptionError: a tracker is not set up, for example without an API key.

    Examples:
        >>> with track("tensorboard", "runs/a") as progress:  # doctest: +SKIP
        ...     diswot.search("resnet56", "s0", out="runs/a", progress=progress)
    """
    sources = find_trackers([names] if isinstance(names, str) else names)
    with displayed(progress) as display:
        if not (sources and is_first()):
            yield display
            return
        runs = _Runs(sources, Path(folder), display)
        try:
            yield runs.report
        except BaseException:
            runs.close(failed=True)
            raise
        runs.close(failed=False)


def run_ids(folder: Path) -> dict[str, Any]:
    """Return the trackers that a run folder was tracked by, with its identifier in each.

    Raises:
        RunFolderError: the file that has them is damaged.
    """
    path = folder / RUN_IDS
    return read_json(path) if path.exists() else {}


class _Runs:
    """The runs of one folder in several trackers; each is started with its first values."""

    def __init__(
        self, sources: Mapping[str, TrackerSource], folder: Path, progress: Progress
    ) -> None:
        self._sources = dict(sources)
        self._folder = folder
        self._progress = progress
        self._trackers: dict[str, Tracker] = {}

    def report(self, step: Step) -> None:
        """Show a step, and send its values."""
        self._progress(step)
        if not step.values:
            return
        values = {_name(f"{step.stage}/{name}"): float(v) for name, v in step.values.items()}
        for name in tuple(self._sources):
            with self._surviving(name):
                self._tracker(name).log(values, step=step.at)

    def close(self, *, failed: bool) -> None:
        """Store the files of the run folder, and end the runs that were started."""
        for name, tracker in tuple(self._trackers.items()):
            with self._surviving(name):
                for path in self._files():
                    tracker.log_file(path, name=path.relative_to(self._folder).as_posix())
                tracker.close(failed=failed)

    def _tracker(self, name: str) -> Tracker:
        """Return a tracker's run, started or continued."""
        if name not in self._trackers:
            known = run_ids(self._folder)
            tracker = self._sources[name].start(self._folder, run_id=known.get(name))
            self._trackers[name] = tracker
            if known != (now := {**known, name: tracker.run_id}):
                write_json(self._folder / RUN_IDS, now)
            tracker.log_config(self._config())
        return self._trackers[name]

    def _config(self) -> dict[str, Any]:
        path = self._folder / CONFIG
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def _files(self) -> Iterable[Path]:
        student = sorted((self._folder / STUDENT).rglob("*"))
        return (path for path in (*map(self._folder.joinpath, FILES), *student) if path.is_file())

    @contextmanager
    def _surviving(self, name: str) -> Iterator[None]:
        """Leave out a tracker that fails: a run is worth more than its log."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  (trackers raise anything: network, disk, quota)
            self._sources.pop(name, None)
            self._trackers.pop(name, None)
            note = f"{name} failed and is left out ({type(error).__name__}: {first_line(error)})"
            self._progress(message("track", note))


def _name(text: str) -> str:
    """Return the name of a value with characters that every tracker allows.

    Examples:
        >>> _name("ce + 0.9*kd(T=4)/val_accuracy")
        'ce_0.9_kd_T_4_/val_accuracy'
    """
    return _NOT_ALLOWED.sub("_", text)
