"""What can go wrong, by kind. A message says what was wrong, what was got and what to do."""

import difflib
from collections.abc import Iterable

_EXECUTING = ("weights_only", "safe_globals", "allow_pickle", "trust_remote_code")
"""Options of other libraries whose errors advise to execute what a file holds."""

_LONGEST = 400
"""Characters of another library's message that are repeated."""


class DiswotError(Exception):
    """Root of all errors; the command line exits with 2, and with 1 where a run failed."""


class OptionError(DiswotError):
    """An option has a value that it cannot have."""


class UnknownOptionError(OptionError, TypeError):
    """A keyword that a function does not have."""


class UnknownNameError(DiswotError):
    """A name that nothing has, with the nearest one that exists."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, also: str = "") -> None:
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.3)
        guess = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        super().__init__(f"unknown {kind} {name!r}: {guess}{also}")


class DataError(DiswotError):
    """A dataset that is missing, damaged or unfit."""


class TeacherError(DiswotError):
    """A teacher that cannot be built, loaded or used."""


class CheckpointError(TeacherError):
    """A checkpoint file that is missing, damaged, hostile or of another network."""


class SpaceError(DiswotError):
    """A search space whose networks cannot be built or used."""


class NetworkError(DiswotError):
    """A network in which what a score needs is not found."""


class ForwardError(NetworkError):
    """An exception that a network raised itself while it ran; it is the cause."""


class BudgetError(DiswotError):
    """A budget that no architecture meets."""


class RunFolderError(DiswotError):
    """A run folder that cannot be written or read."""


class ExportError(DiswotError):
    """A student whose exported form is not the same network."""


class PluginError(DiswotError):
    """What an installed package adds cannot be imported, or is not what it should be."""


class PluginWarning(UserWarning):
    """What an installed package adds is left out, because it cannot be imported."""


class MissingExtraError(DiswotError):
    """An optional dependency that is not installed, or not so that it can be used."""

    def __init__(
        self, package: str, extra: str, purpose: str, *, reason: str = "is not installed"
    ) -> None:
        super().__init__(
            f"{purpose} needs {package}, which {reason}: pip install 'diswot[{extra}]'"
        )


class RunError(DiswotError):
    """A run that went wrong though its input was right; the command line exits with 1."""


class ClusterError(RunError):
    """A cluster that went away before the run ended; what it had evaluated is kept."""


class DivergedError(RunError):
    """A training whose loss is not finite; the same training ends so again."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, for use in a message of one line.

    Advice of other libraries to execute what a file holds is left out.

    Examples:
        >>> first_line(ValueError("Set `weights_only=False` if you trust the source."))
        'it would have to be executed, and nothing in a file is'
    """
    text = str(error).strip()
    if any(word in text for word in _EXECUTING):
        return "it would have to be executed, and nothing in a file is"
    return text.splitlines()[0][:_LONGEST] if text else type(error).__name__
