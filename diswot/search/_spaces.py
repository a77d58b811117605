"""Search spaces by name."""

from collections.abc import Callable

from diswot.errors import OptionError, SpaceError, UnknownNameError, first_line
from diswot.references import is_reference, resolve
from search_spaces import (
    Architecture,
    AutoFormerSpace,
    MacroSpace,
    NASBench201Space,
    NASBenchMacroSpace,
    NATSSizeSpace,
    ResNetDepthSpace,
    SearchSpace,
)

SPACES: dict[str, Callable[[int], SearchSpace]] = {
    "s0": lambda channels: ResNetDepthSpace(in_channels=channels),
    "nas-bench-201": lambda channels: NASBench201Space(in_channels=channels),
    "nas-bench-macro": lambda channels: NASBenchMacroSpace(in_channels=channels),
    "nats-sss": lambda channels: NATSSizeSpace(in_channels=channels),
    "macro-basic": lambda channels: MacroSpace(in_channels=channels),
    "macro-bottleneck": lambda channels: MacroSpace(bottlenecks=True, in_channels=channels),
    "macro-basic-224": lambda channels: MacroSpace(image_size=224, in_channels=channels),
    "macro-bottleneck-224": lambda channels: MacroSpace(
        bottlenecks=True, image_size=224, in_channels=channels
    ),
    "autoformer": lambda channels: AutoFormerSpace(in_channels=channels),
    "autoformer-224": lambda channels: AutoFormerSpace(
        image_size=224, patch_size=16, in_channels=channels
    ),
}
"""Built-in spaces: made for a number of image channels."""


def check_space_name(space: str | SearchSpace) -> None:
    """Raise what can be said of a space that is asked for before it is made for some images.

    Raises:
        UnknownNameError: no space has that name.
        OptionError: it is neither a name nor a space, or cannot be imported.
    """
    if isinstance(space, SearchSpace):
        return
    if not isinstance(space, str):
        raise OptionError(f"Expected a space's name or a SearchSpace, but got {space!r}")
    if is_reference(space):
        resolve(space, kind="space")
    elif space not in SPACES:
        raise UnknownNameError("space", space, SPACES, also=" (or give package.module:Class)")


def find_space(space: str | SearchSpace, *, in_channels: int) -> SearchSpace:
    """Return the space that is meant: by name, by `package.module:Class`, or itself.

    Raises:
        UnknownNameError: no space has that name.
        SpaceError: the reference names no space.
    """
    if isinstance(space, SearchSpace):
        return space
    check_space_name(space)
    if not is_reference(space):
        return SPACES[space](in_channels)
    named = resolve(space, kind="space")
    try:
        made = named if isinstance(named, SearchSpace) else named()
    except Exception as error:
        raise SpaceError(
            f"space {space}: calling it raised {type(error).__name__}: {first_line(error)}; "
            "mend the class"
        ) from error
    if not isinstance(made, SearchSpace):
        raise SpaceError(
            f"space {space}: expected a search_spaces.SearchSpace, but got {type(made).__name__}"
        )
    return made


def parse_architecture(space: SearchSpace, text: str) -> Architecture:
    """Return the architecture that `text` names.

    Raises:
        SpaceError: it names none of this space.
    """
    try:
        return space.from_string(text)
    except ValueError as error:
        raise SpaceError(f"{error}: write an architecture of this space") from error
