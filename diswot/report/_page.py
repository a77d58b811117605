"""Render the HTML page of a run."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from diswot.plots import Plot
from diswot.report import _numbers
from diswot.report._genes import read_genes
from diswot.report._measures import MEASURES, known_measures, share_of_budget
from diswot.report._network import Drawing
from diswot.report._outcome import Outcome
from diswot.report._provenance import commands, depends_on_others, facts, noun_of
from diswot.report._rendering import render
from diswot.report._roles import Roles
from diswot.report._stages import cards
from diswot.report._trainings import Curve
from diswot.runs import Activity
from diswot.search import Candidate, SearchResult

ROWS = 50
"""Maximal number of rows or names in a table; the page says how many are left out."""


@dataclass(frozen=True)
class Contents:
    """The contents of a page.

    Attributes:
        result: result of the search.
        roles: roles of the candidates, such as winner and baselines.
        outcome: results of the run in addition to its search.
        curves: the trainings.
        drawing: the winner's network, or a sentence on why it is not drawn.
        search_plots: plots of score against each cost, and of the convergence last.
        training_plots: plots of metric and loss against epochs.
        activity: what the run has done so far, if it is still running.
    """

    result: SearchResult
    roles: Roles
    outcome: Outcome
    curves: Sequence[Curve]
    drawing: Drawing | str
    search_plots: Sequence[Plot]
    training_plots: Sequence[Plot]
    activity: Activity | None = None


def write_page(contents: Contents, folder: Path, *, refresh: int | None = None) -> str:
    """Return the HTML page of a run; the same run gives an identical page.

    Args:
        contents: the contents of the page.
        folder: the run folder, for commands on the page.
        refresh: seconds after which a browser loads the page again; `None` for never.
    """
    values = (
        vars(contents)
        | _of_search(contents.result, contents.roles, contents.outcome)
        | _of_network(contents)
        | _of_folder(contents.result, folder)
        | {
            "sections": _sections(contents),
            "verdict": contents.outcome.verdict,
            "noun": noun_of(contents.result.manifest),
            "trained_winner": _trained_winner(contents),
            "selected": _selected(contents),
            "rows_at_most": ROWS,
        }
    )
    *cost_plots, convergence = contents.search_plots
    plots = {
        "cost_papers": cost_plots,
        "convergence": [convergence],
        "training_papers": contents.training_plots,
    }
    return render("page.html.j2", values, plots, refresh=refresh)


def _of_search(result: SearchResult, roles: Roles, outcome: Outcome) -> dict[str, Any]:
    budget = result.manifest.get("budget") or {}
    measures = known_measures(result.best)
    shorts = {measure.name: measure.short for measure in MEASURES}
    listed = {candidate.name: candidate for candidate in (*roles.front, *roles.shortlist)}
    reasons: dict[str, list[str]] = defaultdict(list)
    for candidate in result.failures:
        reasons[candidate.failure or ""].append(candidate.name)
    return {
        "settings": result.manifest["settings"],
        "measures": measures,
        "limits": _numbers.listed(
            [
                f"{measure.write(budget[measure.name])} {measure.short}"
                for measure in measures
                if budget.get(measure.name) is not None
            ]
        ),
        "shares": share_of_budget(result.best, budget),
        "compared": [("winner", result.best), *result.baselines.items()],
        "chosen": sorted(listed.values(), key=Candidate.merit, reverse=True),
        "objectives": _numbers.listed([shorts.get(name, name) for name in roles.objectives]),
        "course_facts": _course(result, roles),
        "relative": depends_on_others(result.manifest),
        "winner_latency": next(
            (row.latency_ms for row in outcome.rows if row.label == "winner"), None
        ),
        "failed": result.failures,
        "failures_by_reason": sorted(reasons.items(), key=lambda pair: -len(pair[1]))[:ROWS],
        "over": sum(not candidate.within_budget for candidate in result.candidates),
    }


def _course(result: SearchResult, roles: Roles) -> dict[str, str]:
    """Return numbers on the progress of the search, as formatted texts."""
    engine = result.manifest["engine"]
    times = [candidate.seconds for candidate in result.candidates if candidate.within_budget]
    return {
        "engine": str(engine.get("name", "–")),
        "evaluations": f"{roles.evaluations:,}",
        "best one found by evaluation": f"{roles.number(result.best):,}",
        "scoring, all candidates": _numbers.seconds(sum(times)),
        "scoring, median candidate": _numbers.seconds(median(times)),
    }


def _of_network(contents: Contents) -> dict[str, Any]:
    drawn = isinstance(contents.drawing, Drawing)
    return {
        "genes_of_winner": read_genes(contents.result.space, contents.result.best),
        "drawing": contents.drawing if drawn else None,
        "no_drawing": None if drawn else contents.drawing,
        "stage_cards": cards(contents.drawing) if isinstance(contents.drawing, Drawing) else [],
    }


def _of_folder(result: SearchResult, folder: Path) -> dict[str, Any]:
    return {
        "run_name": folder.resolve().name,
        "commands": commands(result, folder),
        "facts": facts(result.manifest),
    }


def _trained_winner(contents: Contents) -> Curve | None:
    """Return the exported training of the winner, or its best by the validation split."""
    name, shipped = contents.result.best.name, contents.outcome.shipped
    trained = [curve for curve in contents.curves if curve.student.architecture == name]
    exported = [curve for curve in trained if curve.student.loss == shipped]
    return next(iter((*exported, *trained)), None)


def _selected(contents: Contents) -> Curve | None:
    """Return the training of the student that the verdict selects, or else of the winner."""
    verdict = contents.outcome.verdict
    wanted = None if verdict is None else (verdict.architecture, verdict.loss)
    for curve in contents.curves:
        if (curve.student.architecture, curve.student.loss) == wanted:
            return curve
    return _trained_winner(contents)


def _sections(contents: Contents) -> list[tuple[str, str]]:
    there = {
        "progress": ("Progress", contents.activity is not None),
        "verdict": ("Verdict", contents.outcome.verdict is not None),
        "winner": ("Winner", True),
        "cost": ("Score against cost", True),
        "convergence": ("Convergence", True),
        "network": ("Network", True),
        "distillation": ("Distillation", bool(contents.curves)),
        "student": ("Exported student", bool(contents.outcome.files)),
        "failures": ("Failures", True),
        "made": ("How this was made", True),
    }
    return [(name, title) for name, (title, present) in there.items() if present]
