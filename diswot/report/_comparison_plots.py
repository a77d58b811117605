"""Plots of several runs over each other."""

from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate, pairwise

from diswot.plots import About, Axis, Dot, Plot, Series, wants_log
from diswot.report._compared import Compared, ComparedRun
from diswot.report._measures import MEASURES, Measure, costs, written_score
from diswot.report._plots import better_of
from diswot.report._provenance import noun_of
from diswot.report._trainings import (
    epoch_series,
    look,
    scaled,
    validation_axis,
    validation_of,
)
from diswot.search import Candidate, pareto_front
from diswot.tasks import Measure as Measured

Height = Callable[[Candidate], float]
"""(candidate) → its score, or its rank within its run."""


def front_plots(compared: Compared) -> list[Plot]:
    """Return the Pareto fronts of all runs, one plot per cost that every run has measured."""
    known = [
        measure
        for measure in MEASURES
        if all(measure.of(run.result.best) is not None for run in compared.runs)
    ]
    return [_fronts(compared, measure) for measure in known]


def _fronts(compared: Compared, measure: Measure) -> Plot:
    series = []
    places: list[float] = []
    for number, run in enumerate(compared.runs):
        scored = [c for c in run.result.ranking if measure.of(c) is not None]
        front = sorted(pareto_front(scored, ("score", measure.name)), key=measure.known)
        height = _height(run, compared)
        dots = tuple(Dot(measure.known(c), height(c), _about(run, c)) for c in front)
        places += [dot.x for dot in dots]
        bare = tuple(Dot(dot.x, dot.y) for dot in dots)
        series.append(Series(run.name, "steps", look(number), bare))
        series.append(Series(run.name, "dots", look(number), dots))
    noun = noun_of(compared.runs[0].manifest)
    return Plot(
        f"fronts-{measure.name.replace('_', '-')}",
        f"Pareto fronts of score and {measure.short}",
        "Each line joins the candidates of a run that none of its others beats in both.",
        Axis(measure.label.format(noun=noun), log=wants_log(places)),
        _score_axis(compared),
        tuple(series),
    )


def convergence_plot(compared: Compared) -> Plot:
    """Return the best score so far of every run, against evaluations."""
    series = []
    for number, run in enumerate(compared.runs):
        height = _height(run, compared)
        scored = [c for c in run.result.candidates if c.score is not None]
        best = list(accumulate(scored, better_of))
        better = [0, *(n for n, (old, new) in enumerate(pairwise(best), 1) if new is not old)]
        dots = tuple(Dot(n + 1, height(best[n]), _about(run, best[n])) for n in better)
        steps = (*(Dot(dot.x, dot.y) for dot in dots), Dot(len(scored), dots[-1].y))
        series.append(Series(run.name, "steps", look(number), steps))
        series.append(Series(run.name, "dots", look(number), dots))
    return Plot(
        "convergences",
        "Best score so far",
        "By the scores at the end of each search.",
        Axis("Scored candidate", whole=True),
        _score_axis(compared),
        tuple(series),
    )


def student_plots(compared: Compared) -> list[Plot]:
    """Return test measures of all trained students with intervals, and validation curves."""
    measure = compared.measure
    if measure is None:
        return []
    results = [_students(compared, measure), _curves(compared, measure)]
    return [plot for plot in results if any(series.dots for series in plot.series)]


def _students(compared: Compared, measure: Measured) -> Plot:
    series = []
    for number, run in enumerate(compared.runs):
        dots = []
        for curve in run.curves:
            candidate, test = run.candidate(curve.student.architecture), curve.student.test
            if candidate is None or test is None:
                continue
            low, value, high = (scaled(test, item) for item in (test.low, test.value, test.high))
            facts = {"architecture": candidate.name, f"test {test.name}": str(test)}
            about = About(f"{run.name}: {curve.label}", tuple((facts | costs(candidate)).items()))
            dots.append(Dot(candidate.params, value, about, y_interval=(low, high)))
        series.append(Series(run.name, "dots", look(number), tuple(dots)))
    places = [dot.x for item in series for dot in item.dots] or [1.0]
    return Plot(
        "students",
        "Trained students with 95 % intervals",
        "Intervals cover the sampling of the test split, not the variation between seeds.",
        Axis("Parameters", log=wants_log(places)),
        validation_axis(measure, split="Test"),
        tuple(series),
    )


def _curves(compared: Compared, measure: Measured) -> Plot:
    series: list[Series] = []
    for number, run in enumerate(compared.runs):
        if run.student is not None and run.student.epochs:
            series += epoch_series(run.student, look(number), validation_of(run.student), run.name)
    return Plot(
        "curves",
        "The student of each run while it was trained",
        "On the validation split.",
        Axis("Epoch", whole=True),
        validation_axis(measure),
        tuple(series),
    )


def _height(run: ComparedRun, compared: Compared) -> Height:
    """Return the vertical position of candidates: the score, or its rank if scales differ."""
    if compared.same_scale:
        return lambda candidate: candidate.score or 0.0
    ordered = sorted(c.score for c in run.result.ranking if c.score is not None)

    def rank(candidate: Candidate) -> float:
        below = bisect_left(ordered, candidate.score or 0.0)
        return 100 * below / max(1, len(ordered) - 1)

    return rank


def _score_axis(compared: Compared) -> Axis:
    if compared.same_scale:
        return Axis("Score, higher is better")
    return Axis("Candidates of the run outscored, %")


def _about(run: ComparedRun, candidate: Candidate) -> About:
    facts = {"run": run.name, "score": written_score(candidate)} | costs(candidate)
    return About(candidate.name, tuple(facts.items()))
