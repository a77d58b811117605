"""Scripts that start workers need a guard: spawned processes import the script again."""

import ast
import linecache
import sys
from collections.abc import Iterator
from multiprocessing import current_process
from types import FrameType

from diswot.errors import OptionError

MISSING_GUARD = (
    "workers are processes that import this script again: put the call under "
    '`if __name__ == "__main__":`, or use workers=1'
)
"""What to do where a script starts workers as it is imported."""

_GUARDS = ("__name__", "process")


def check_guard() -> None:
    """Make sure that workers which import the running script do not make the same call again.

    Raises:
        OptionError: they would: the call is made as the script is imported.
    """
    if getattr(current_process(), "_inheriting", False):
        sys.exit(1)  # this is such a worker; the process that started it says why it ended
    for frame in _frames():
        if _is_imported_again(frame) and not _may_be_guarded(frame):
            raise OptionError(
                f"line {frame.f_lineno} of {frame.f_code.co_filename}: {MISSING_GUARD}"
            )


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_imported_again(frame: FrameType) -> bool:
    """Return whether a frame runs the main module's own statements, and workers import that."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    name = getattr(getattr(main, "__spec__", None), "name", None) or ""
    return (
        frame.f_code.co_name == "<module>"
        and frame.f_globals is getattr(main, "__dict__", None)
        and frame.f_code.co_filename == file
        and name.rpartition(".")[2] != "__main__"  # those of `python -m package` are not
    )


def _may_be_guarded(frame: FrameType) -> bool:
    """Return whether the running statement is under a condition, or after one that checks it."""
    line = frame.f_lineno
    try:
        tree = ast.parse("".join(linecache.getlines(frame.f_code.co_filename)))
    except (SyntaxError, ValueError):
        return True
    conditions = [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.Match)]
    return not tree.body or any(
        node.lineno <= line <= (node.end_lineno or line)
        or (node.lineno < line and any(word in ast.unparse(node) for word in _GUARDS))
        for node in conditions
    )
