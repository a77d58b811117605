"""What a search found, in memory and on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diswot.data import ImageSpec
from diswot.errors import DiswotError, RunFolderError
from diswot.run_folder import read_json, write_json
from diswot.search._candidate import Candidate
from diswot.search._journal import candidate_from_line, read_journal
from diswot.search._spaces import SPACES, find_space
from search_spaces import SearchSpace

_SETTINGS = {
    "teacher": str,
    "teacher_weights": str | None,
    "space": str,
    "data": str,
    "seed": int,
}
"""Settings that later commands read, and what they must be."""

RESULT = "result.json"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class SearchResult:
    """A finished search.

    Attributes:
        best: the candidate of the highest score.
        candidates: all that were evaluated, in that order; failed ones included.
        plain_choices: what one would take without a search: the largest, the smallest
            and a random architecture in budget, scored like the candidates.
        manifest: every setting, and the versions and data it was made with.
        images: the images that the students take.
        space: the search space; `None` if the run was read without it.
        folder: the run folder, if one was written.
    """

    best: Candidate
    candidates: tuple[Candidate, ...]
    plain_choices: Mapping[str, Candidate]
    manifest: Mapping[str, Any]
    images: ImageSpec
    space: SearchSpace | None
    folder: Path | None = None

    @property
    def ranking(self) -> list[Candidate]:
        """The candidates that have a score, best first."""
        scored = [candidate for candidate in self.candidates if candidate.score is not None]
        return sorted(scored, key=Candidate.merit, reverse=True)

    @property
    def failures(self) -> list[Candidate]:
        """The candidates that have none."""
        return [candidate for candidate in self.candidates if candidate.failure is not None]

    def to_json(self) -> dict[str, Any]:
        """Return what `result.json` holds."""
        return {
            "best": self.best.to_json(),
            "plain_choices": {
                name: choice.to_json() for name, choice in self.plain_choices.items()
            },
            "scores": {c.key: c.score for c in self.ranking},
            "evaluated": len(self.candidates),
            "failed": len(self.failures),
        }

    def save(self) -> None:
        """Write `result.json` into the run folder, where there is one."""
        if self.folder is not None:
            write_json(self.folder / RESULT, self.to_json())


def load_run(path: str | Path, *, space: SearchSpace | None = None) -> SearchResult:
    """Read the run folder of a finished search.

    Args:
        path: the folder.
        space: the search space, where it is none of the built-in ones: nothing that a
            run folder names is imported.

    Raises:
        RunFolderError: it is no run folder, is damaged, or its search did not finish.
    """
    folder = Path(path)
    manifest = read_json(folder / MANIFEST)
    if not (folder / RESULT).exists():
        raise RunFolderError(
            f"the search in {folder} did not finish; its journal holds what was evaluated: "
            "start it again in another folder"
        )
    result = read_json(folder / RESULT)
    try:
        images = ImageSpec.from_json(manifest["data"]["images"])
        settings = manifest["settings"]
        for setting, kind in _SETTINGS.items():
            if not isinstance(settings[setting], kind):
                raise ValueError(f"{setting} is {settings[setting]!r}")
        name = settings["space"]
        if space is None and name in SPACES:
            space = find_space(name, in_channels=images.shape[0])
        scores = result["scores"]
        candidates = [
            replace(candidate, score=scores.get(candidate.key))
            for candidate in read_journal(folder, space, images)
        ]
        best = candidate_from_line(result["best"], space, images)
        choices = {
            label: candidate_from_line(line, space, images)
            for label, line in result["plain_choices"].items()
        }
    except DiswotError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OSError, IndexError) as error:
        raise RunFolderError(f"the run folder {folder} is damaged ({error!r})") from error
    return SearchResult(best, tuple(candidates), choices, manifest, images, space, folder)
