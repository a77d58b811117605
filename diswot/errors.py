"""The exceptions of DisWOT. A message says what was wrong, what was got and what to do."""

import difflib
from collections.abc import Iterable

_EXECUTING = ("weights_only", "safe_globals", "allow_pickle", "trust_remote_code")
"""Options of other libraries whose error messages advise users to execute code from a file."""

_LONGEST = 400
"""Number of characters after which another library's message is cut."""


class DiswotError(Exception):
    """Base class of all errors; the command line exits with status 2, or 1 for a `RunError`."""


class OptionError(DiswotError):
    """An option has an invalid value, or contradicts another option."""


class UnknownOptionError(OptionError, TypeError):
    """A keyword argument that the function does not accept."""


class UnknownNameError(DiswotError):
    """A name that does not exist; the message suggests the nearest one.

    Args:
        kind: what is named, such as "space".
        name: the name that was given.
        known: the names that exist.
        also: appended to the message, for example another accepted form.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, also: str = "") -> None:
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.3)
        guess = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        super().__init__(f"unknown {kind} {name!r}: {guess}{also}")


class DataError(DiswotError):
    """A dataset that is missing, damaged or does not fit the task."""


class TeacherError(DiswotError):
    """A teacher that cannot be built, loaded or used."""


class CheckpointError(TeacherError):
    """A checkpoint that is missing, damaged, contains code, or belongs to another network."""


class SpaceError(DiswotError):
    """A search space whose networks cannot be built or used."""


class NetworkError(DiswotError):
    """A network that lacks what a score or a loss reads, such as a feature map."""


class ForwardError(NetworkError):
    """A network's own forward pass raised an exception, which is the `__cause__`."""


class BudgetError(DiswotError):
    """A budget that no architecture of the space meets."""


class RunFolderError(DiswotError):
    """A run folder that cannot be written or read."""


class ExportError(DiswotError):
    """A student that cannot be exported, or whose exported file gives other outputs."""


class PluginError(DiswotError):
    """A plugin of an installed package that cannot be imported or has the wrong type."""


class PluginWarning(UserWarning):
    """A plugin of an installed package is skipped, because it cannot be imported."""


class MissingExtraError(DiswotError):
    """An optional dependency that is not installed, or not usable as it is.

    Args:
        package: what is missing.
        extra: the extra of diswot that installs it, such as `onnx`.
        purpose: what needs it, for the message.
        reason: what is wrong with the package.
    """

    def __init__(
        self, package: str, extra: str, purpose: str, *, reason: str = "is not installed"
    ) -> None:
        super().__init__(
            f"{purpose} needs {package}, which {reason}: pip install 'diswot[{extra}]'"
        )


class RunError(DiswotError):
    """A run that failed although its input was valid; the command line exits with status 1."""


class ClusterError(RunError):
    """The cluster was lost before the run ended; candidates evaluated so far are kept."""


class DivergedError(RunError):
    """A training whose loss is not finite; repeating it with the same settings fails again."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, for use in a one-line message.

    Advice of other libraries to execute code from a file (`weights_only=False`) is replaced.

    Examples:
        >>> first_line(ValueError("Set `weights_only=False` if you trust the source."))
        'it would have to be executed, and nothing in a file is'
    """
    text = str(error).strip()
    if any(word in text for word in _EXECUTING):
        return "it would have to be executed, and nothing in a file is"
    return text.splitlines()[0][:_LONGEST] if text else type(error).__name__
