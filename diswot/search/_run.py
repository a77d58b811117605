"""One search from its settings to its result, started or resumed."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from diswot.errors import RunError, RunFolderError
from diswot.latency import find_latency, is_measured
from diswot.progress import Progress, Step, measured, message, silent
from diswot.runs import MANIFEST, RESULT
from diswot.runs.folder import write_record
from diswot.search._baselines import check_known, choose_baselines, numbered
from diswot.search._candidate import Candidate
from diswot.search._config import write_run_config
from diswot.search._evaluation_pool import EvaluationPool, evaluation_pool
from diswot.search._history import History
from diswot.search._journal import Journal, candidate_reader, read_journal
from diswot.search._latencies import Latencies
from diswot.search._result import (
    SCHEMA,
    UNCHECKED,
    SearchResult,
    recorded_baselines,
)
from diswot.search._scoring_context import ScoringContext
from diswot.search._search_loop import SearchLoop
from diswot.search._settings import SearchSettings
from diswot.search._short_trainings import with_trainings
from diswot.search.engines import ENGINES
from diswot.seeding import generator_for
from diswot.teachers import Teacher
from search_spaces import Architecture

_DRAWN = "plain choices"
"""Part of the seed of the baselines; another text would change the baselines of old runs."""


class Run:
    """A search that is about to start or resume.

    Args:
        context: teacher, space, data and scorer.
        settings: engine, budget, latency source and short trainings.
        workers: number of local processes; 1 is used if latencies are measured, because other
            processes would disturb the measurement.
        cluster: address of a Dask scheduler.
        progress: called with every new candidate.

    Raises:
        DiswotError: the latency source does not exist or does not fit.
    """

    def __init__(
        self,
        context: ScoringContext,
        settings: SearchSettings,
        *,
        workers: int = 1,
        cluster: str | None = None,
        progress: Progress,
    ) -> None:
        self.settings = self._settings = settings
        self._asked_workers = workers
        self._workers = 1 if is_measured(settings.latency) else workers
        self._cluster = cluster
        self._progress = progress
        self._latencies = self._find_latencies(context)
        evaluator = context.evaluator.with_costs(latency=self._latencies, memory=settings.memory)
        self._scoring_context = replace(context, evaluator=evaluator)
        self._evaluator = evaluator
        self._history = History(
            evaluator,
            settings.budget,
            context.formula,
            reference=settings.engine.population,
        )
        self._engine = ENGINES[settings.engine.name](self._history, settings.engine)

    @property
    def context(self) -> ScoringContext:
        """Teacher, space, data and scorer."""
        return self._scoring_context

    def with_trainings(
        self,
        result: SearchResult,
        teacher: str | nn.Module | Teacher | None,
        options: Mapping[str, Any],
    ) -> SearchResult:
        """Run the short trainings, if the settings have any; return the result with them.

        Args:
            result: the result of the search.
            teacher: the teacher to distill from.
            options: options of the search, such as `teacher_weights`.
        """
        return with_trainings(
            result,
            self._settings.trainings,
            teacher,
            context=self._scoring_context,
            options=options,
            workers=self._asked_workers,
            cluster=self._cluster,
            progress=self._progress,
        )

    def check(self) -> None:
        """Start the workers and choose the baselines, without scoring anything.

        Raises:
            OptionError: the workers cannot be started, or the cluster does not answer.
            BudgetError: no architecture is within the budget.
        """
        with self._pool():
            self._baselines(silent)

    def begin(self, out: str | Path | None, job: Mapping[str, Any] | None) -> SearchResult:
        """Search from the start.

        Args:
            out: the run folder, which is empty and locked; `None` for none.
            job: options of the larger command that the search is a part of.

        Raises:
            BudgetError: no architecture is within the budget.
            OptionError: the workers cannot be started, or the cluster does not answer.
        """
        baselines = self._baselines(self._progress)
        space = self._scoring_context.space
        manifest = {
            **self._scoring_context.manifest(),
            **self._settings.to_json(),
            "schema": SCHEMA,
            "latency_source": None if self._latencies is None else self._latencies.name,
            "job": job,
            "baselines": {label: space.to_string(arch) for label, arch in baselines.items()},
        }
        summary = f"{self._scoring_context.data.summary()}; budget {self._settings.budget}"
        with self._pool() as pool:
            if out is None:
                self._progress(message("data", summary))
                return self._finished(pool, manifest, baselines, {}, record=lambda *_: None)
            folder = Path(out)
            with Journal(folder) as journal:
                write_record(folder / MANIFEST, manifest)
                write_run_config(folder, manifest)
                self._progress(message("data", f"{summary}; run folder {folder}"))
                return self._in_folder(pool, folder, journal, manifest, baselines, {})

    def resume(self, folder: Path, journal: Journal, manifest: Mapping[str, Any]) -> SearchResult:
        """Search from where the run in `folder` stopped.

        Args:
            folder: the run folder, which is locked.
            journal: its journal.
            manifest: the content of its manifest.

        Raises:
            RunFolderError: journal or manifest is damaged, or of another run.
        """
        if torn := journal.drop_torn_line():
            self._progress(message("journal", f"dropped an incomplete last line: {torn[:60]}…"))
        known = self._known(folder, manifest) if journal.exists else {}
        space = self._scoring_context.space
        try:
            recorded = recorded_baselines(manifest).items()
            baselines = {label: space.from_string(name) for label, name in recorded}
        except (KeyError, AttributeError, ValueError) as error:
            raise RunFolderError(f"{folder / MANIFEST} is damaged ({error!r})") from error
        settings = self._settings.to_json()
        with self._pool() as pool:
            if any(manifest.get(name) != value for name, value in settings.items()):
                (folder / RESULT).unlink(missing_ok=True)  # the extended run has another result
                manifest = {**manifest, **settings}
                write_record(folder / MANIFEST, manifest)
                write_run_config(folder, manifest)
            self._progress(message("journal", f"{len(known):,} candidates known"))
            return self._in_folder(pool, folder, journal, manifest, baselines, known)

    def _known(self, folder: Path, manifest: Mapping[str, Any]) -> dict[int, Candidate]:
        """Return the candidates in the journal."""
        unchecked = manifest["schema"] == UNCHECKED
        if unchecked:
            note = "it was started by DisWOT 0.1.0, whose lines have no checksum: read unchecked"
            self._progress(message("journal", note))
        read = candidate_reader(self._scoring_context.space, self._evaluator.source)
        return read_journal(folder, read, unchecked=unchecked)

    def _pool(self) -> AbstractContextManager[EvaluationPool]:
        return evaluation_pool(self._evaluator, workers=self._workers, cluster=self._cluster)

    def _in_folder(
        self,
        pool: EvaluationPool,
        folder: Path,
        journal: Journal,
        manifest: Mapping[str, Any],
        baselines: Mapping[str, Architecture],
        known: Mapping[int, Candidate],
    ) -> SearchResult:
        if self._latencies is not None:
            self._latencies.keep(folder)
        result = self._finished(pool, manifest, baselines, known, record=journal.append)
        result = replace(result, folder=folder)
        result.save()
        return result

    def _finished(
        self,
        pool: EvaluationPool,
        manifest: Mapping[str, Any],
        baselines: Mapping[str, Architecture],
        known: Mapping[int, Candidate],
        *,
        record: Callable[[int, Candidate], None],
    ) -> SearchResult:
        """Score the baselines, search to the end, and select among all scored candidates."""
        self._report_latency()
        archs = numbered(baselines)
        check_known(known, archs)
        total, done = self._engine.total + len(archs), len(known)

        def report(number: int, candidate: Candidate) -> None:
            nonlocal done
            record(number, candidate)
            done += 1
            note = candidate.name if candidate.failure is None else f"{candidate.name} failed"
            self._progress(Step("score", done, total, note, values=candidate.values, at=done))

        loop = SearchLoop(
            self._engine, self._history, self._evaluator, pool, record=report, known=known
        )
        scored_first = loop.baselines(archs)
        generator = partial(self._settings.engine.generator, self._scoring_context.seed)
        loop.run(self._engine.total, generator)
        if done < total:
            self._progress(Step("score", done, done, "no new architecture left in budget"))
        proposed = {candidate.architecture for candidate in self._history.candidates}
        for arch, baseline in scored_first.items():
            if arch not in proposed:
                self._history.add(baseline)
        candidates = tuple(self._history.scored())
        best = self._best(candidates)
        self._progress(measured("score", {f"best_{n}": v for n, v in best.values.items()}, at=done))
        scored = {candidate.architecture: candidate for candidate in candidates}
        return SearchResult(
            best=best,
            candidates=candidates,
            baselines={label: scored[arch] for label, arch in baselines.items()},
            manifest=manifest,
            signature=self._scoring_context.data.signature,
            space=self._scoring_context.space,
        )

    def _report_latency(self) -> None:
        """Report the latency source, if the search has one."""
        if self._latencies is not None:
            alone = "; one worker, since others would add noise"
            note = self._latencies.name + (alone if is_measured(self._settings.latency) else "")
            self._progress(message("latency", note))

    def _best(self, candidates: Sequence[Candidate]) -> Candidate:
        in_budget = [candidate for candidate in candidates if candidate.within_budget]
        if not in_budget:
            raise self._history.exhausted()
        best = max(in_budget, key=Candidate.merit)
        if best.score is None:
            raise RunError(
                f"all {len(in_budget)} candidates failed; the first, {in_budget[0].name}: "
                f"{in_budget[0].failure}"
            )
        return best

    def _baselines(self, progress: Progress) -> dict[str, Architecture]:
        rng = generator_for(self._scoring_context.seed, _DRAWN)
        measured = is_measured(self._settings.latency)
        return choose_baselines(self._history, rng, progress, measured=measured)

    def _find_latencies(self, context: ScoringContext) -> Latencies | None:
        spec = self._settings.latency
        if spec is None:
            return None
        latency = find_latency(
            spec,
            space=context.space,
            signature=context.data.signature,
            device=context.evaluator.device,
            threads=context.evaluator.threads,
            column=self._settings.latency_column,
            build=context.evaluator.source.skeleton,
        )
        return Latencies(latency, context.space)
