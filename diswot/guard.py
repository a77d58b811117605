"""Detect scripts without `if __name__ == "__main__"`, which spawned workers would run again."""

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
"""Advice for a script that starts workers at import time."""

_GUARDS = ("__name__", "process")


def check_guard() -> None:
    """Make sure that workers, which import the running script, do not repeat the caller's call.

    Raises:
        OptionError: the call is made at import time, so every worker would make it again.
    """
    if getattr(current_process(), "_inheriting", False):
        sys.exit(1)  # this is already such a worker; the parent process reports the error
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
    """Return whether a frame runs top-level code of the main script, which workers import."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    name = getattr(getattr(main, "__spec__", None), "name", None) or ""
    return (
        frame.f_code.co_name == "<module>"
        and frame.f_globals is getattr(main, "__dict__", None)
        and frame.f_code.co_filename == file
        and name.rpartition(".")[2] != "__main__"  # `python -m package` is not imported again
    )


def _may_be_guarded(frame: FrameType) -> bool:
    """Return whether the running statement is inside an `if`, or after one that checks for it."""
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
