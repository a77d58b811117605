"""What a run was made with, taken again: by name or path what is data, and never code."""

from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from diswot.errors import DataError, OptionError, RunFolderError
from diswot.progress import Progress
from diswot.tasks.images import NAMED_DATA, ImageData, Source, load_data


def told_again(kind: str, used: str, given: Any, known: Container[str]) -> Any:
    """Return what was given, else what a run used if that is named by no code.

    Raises:
        OptionError: the run used Python code, which must be named again: what a run folder
            names is never imported.
    """
    if given is not None:
        return given
    if used not in known:
        raise OptionError(
            f"the run used the {kind} {used}, and nothing that a run folder names is imported: "
            f"name it again with --{kind}"
        )
    return used


def source_of(used: Mapping[str, Any]) -> Source:
    """Return what loads the data of a run again.

    Args:
        used: the settings of the run.

    Raises:
        OptionError: the data were Python code, which must be named again.
        RunFolderError: the settings are damaged.
    """
    try:
        known = Source.from_json(used.get("data_source") or {"data": str(used["data"])})
    except (TypeError, AttributeError) as error:
        raise RunFolderError(
            f"manifest.json holds no source of data ({error}): restore it from a copy"
        ) from error
    told_again("data", known.data, None, NAMED_DATA)
    return known


def data_again(
    used: Mapping[str, Any],
    given: Any,
    *,
    image_size: int | None,
    data_root: str | Path | None,
    progress: Progress,
) -> ImageData:
    """Load what was given, else the data of a run from where they were.

    Raises:
        OptionError: the data were Python code, which must be named again.
        DataError: they are not there, or are unfit.
    """
    if given is not None:
        return load_data(given, root=data_root, image_size=image_size, progress=progress)
    source = source_of(used)
    try:
        return load_data(
            source.data,
            root=data_root or source.root,
            image_size=image_size or source.image_size,
            progress=progress,
        )
    except DataError as error:
        raise DataError(f"{error} (--data names the data of the run where they are now)") from error
