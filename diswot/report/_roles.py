"""Roles of the candidates of a run, and their tooltips."""

from diswot.plots import About, Dot
from diswot.report._measures import costs, written_score
from diswot.report._numbers import seconds
from diswot.search import Candidate, SearchResult


class Roles:
    """Roles of the candidates of a run: winner, Pareto front, baselines, shortlist.

    Args:
        result: result of the search.

    Attributes:
        objectives: objectives of the Pareto front.
        front: candidates on the Pareto front, best score first.
        knee: the knee of the front.
        shortlist: diverse candidates with high scores.
    """

    def __init__(self, result: SearchResult) -> None:
        self.objectives = result.objectives
        self.front = result.front
        self.knee = result.knee
        self.shortlist = result.shortlist()
        evaluated = [candidate for candidate in result.candidates if candidate.within_budget]
        self._numbers = {c.name: number for number, c in enumerate(evaluated, start=1)}
        self._evaluated = {candidate.name: candidate for candidate in evaluated}
        self._roles: dict[str, list[str]] = {}
        self._name("winner", result.best)
        for label, choice in result.baselines.items():
            self._name(f"{label} in budget", choice)
        self._name("knee of the front", self.knee)
        for candidate in self.front:
            self._name("on the front", candidate)
        for candidate in self.shortlist:
            self._name("on the shortlist", candidate)

    def of(self, candidate: Candidate) -> str:
        """Return the roles of a candidate as text; empty if it has none."""
        return ", ".join(self._roles.get(candidate.name, ()))

    @property
    def evaluations(self) -> int:
        """Number of evaluated candidates: all except those over the budget."""
        return len(self._evaluated)

    def number(self, candidate: Candidate) -> int | None:
        """Return the candidate's position in the order of evaluation, from 1, or `None`."""
        return self._numbers.get(candidate.name)

    def about(self, candidate: Candidate) -> About:
        """Return the tooltip of a candidate."""
        candidate = self._evaluated.get(candidate.name, candidate)
        number, roles = self.number(candidate), self.of(candidate)
        facts = {"score": written_score(candidate)} | costs(candidate)
        if number is not None:
            facts |= {"evaluation": f"{number:,}", "scored in": seconds(candidate.seconds)}
        if roles:
            facts["in this run"] = roles
        return About(candidate.name, tuple(facts.items()))

    def dot(self, candidate: Candidate, x: float) -> Dot:
        """Return the dot of a scored candidate at `x`, with its score as y."""
        return Dot(x, candidate.score or 0.0, self.about(candidate))

    def _name(self, role: str, candidate: Candidate) -> None:
        self._roles.setdefault(candidate.name, []).append(role)
