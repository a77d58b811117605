"""The plots of a search: score against each cost, and the best score so far."""

from collections.abc import Collection, Sequence
from itertools import accumulate, pairwise

from diswot.plots import Axis, Dot, Plot, Series, wants_log
from diswot.report._measures import Measure, known_measures
from diswot.report._provenance import depends_on_others, noun_of
from diswot.report._roles import Roles
from diswot.search import Candidate, SearchResult, pareto_front

MOST = 1000
"""Approximate maximal number of dots; of more candidates, those with a role and every n-th
other one are drawn."""


def search_plots(result: SearchResult, roles: Roles) -> list[Plot]:
    """Return the plots of a search: one per measured cost, then the convergence."""
    against = [score_against(measure, result, roles) for measure in known_measures(result.best)]
    return [*against, convergence(result, roles)]


def score_against(measure: Measure, result: SearchResult, roles: Roles) -> Plot:
    """Return the plot of scores against one cost, with the Pareto front of both."""
    scored = [c for c in _scored(result.candidates) if measure.of(c) is not None]
    plain = [c for c in _scored(result.baselines.values()) if measure.of(c) is not None]
    front = sorted(pareto_front(scored, ("score", measure.name)), key=measure.known)
    apart = {candidate.name for candidate in (*front, result.best)}
    rest = [candidate for candidate in _thinned(scored, roles) if candidate.name not in apart]

    def dots(candidates: Sequence[Candidate]) -> tuple[Dot, ...]:
        return tuple(roles.dot(candidate, measure.known(candidate)) for candidate in candidates)

    label = measure.label.format(noun=noun_of(result.manifest))
    limit = (result.manifest.get("budget") or {}).get(measure.name)
    limits = [] if limit is None else [Series("budget", "limit", "limit", (Dot(float(limit), 0),))]
    steps = tuple(Dot(dot.x, dot.y) for dot in dots(front))
    return Plot(
        name=f"score-{measure.name.replace('_', '-')}",
        title=f"Score against {measure.short}",
        caption=(
            f"The line joins the candidates ({len(front):,}) that no other one beats in both score "
            f"and {measure.short}.{_left_out(result.candidates)}"
        ),
        x=Axis(label, log=wants_log(map(measure.known, (*scored, *plain)))),
        y=_score_axis(result),
        series=(
            Series("candidates", "dots", "plain", dots(rest)),
            Series("Pareto front", "steps", "front", steps),
            *limits,
            Series("baselines", "dots", "choice", dots(plain)),
            Series("Pareto front", "dots", "front", dots(front)),
            Series("winner", "dots", "winner", dots([result.best])),
        ),
    )


def convergence(result: SearchResult, roles: Roles) -> Plot:
    """Return the plot of all scores, and of the best score so far, against evaluations."""

    def dot(candidate: Candidate) -> Dot:
        return roles.dot(candidate, float(roles.number(candidate) or 0))

    scored = _scored(result.candidates)
    rest = [item for item in _thinned(scored, roles) if item.name != result.best.name]
    best = list(accumulate(scored, better_of))
    better = [best[0], *(new for before, new in pairwise(best) if new is not before)]
    steps = [Dot(dot(candidate).x, dot(candidate).y) for candidate in better]
    return Plot(
        name="convergence",
        title="Best score so far",
        caption=(
            "Every candidate in the order of evaluation, baselines that the engine did not propose "
            "last, and the best score so far, by the "
            f"scores at the end of the search.{_left_out(result.candidates)}"
        ),
        x=Axis("Evaluation", whole=True),
        y=_score_axis(result),
        series=(
            Series("candidates", "dots", "plain", tuple(map(dot, rest))),
            Series("best so far", "steps", "front", (*steps, Dot(roles.evaluations, steps[-1].y))),
            Series("winner", "dots", "winner", (dot(result.best),)),
        ),
    )


def better_of(one: Candidate, other: Candidate) -> Candidate:
    """Return the candidate with the higher score."""
    return max(one, other, key=Candidate.merit)


def _score_axis(result: SearchResult) -> Axis:
    relative = " within this search" if depends_on_others(result.manifest) else ""
    return Axis(f"Score{relative}, higher is better")


def _scored(candidates: Collection[Candidate]) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.score is not None]


def _thinned(scored: Sequence[Candidate], roles: Roles) -> list[Candidate]:
    every = max(1, -(-len(scored) // MOST))
    return [c for index, c in enumerate(scored) if index % every == 0 or roles.of(c)]


def _left_out(candidates: Sequence[Candidate]) -> str:
    """Return sentences on the candidates that are not drawn."""
    scored = len(_scored(candidates))
    unscored = len(candidates) - scored
    message = ""
    if unscored:
        message += (
            f" {unscored:,} of {len(candidates):,} candidates have no score and are not drawn."
        )
    if scored > MOST:
        share = -(-scored // MOST)
        message += f" Of the others, one in {share:,} is drawn, and every one that has a role."
    return message
