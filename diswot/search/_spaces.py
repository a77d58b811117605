"""Search spaces by name."""

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from diswot.errors import OptionError, SpaceError, first_line
from diswot.references import is_reference, resolve
from diswot.registry import Registry
from search_spaces import (
    Architecture,
    AutoFormerSpace,
    FlexiBERTSpace,
    GatedConvolutionSpace,
    MacroSpace,
    MobileSpace,
    NASBench101Space,
    NASBench201Space,
    NASBenchMacroSpace,
    NATSSizeSpace,
    ResNetDepthSpace,
    SearchSpace,
    Signature,
    TextEncoderSpace,
    ThinSpace,
    UnionSpace,
    VisionTowerSpace,
    made_for,
)

SIDE = 32
"""Side, in pixels, that spaces assume for images of variable size."""


def _made(kind: Callable[..., SearchSpace], **options: Any) -> Callable[[Signature], SearchSpace]:
    return lambda signature: made_for(kind, signature, **options)


def _mobile(signature: Signature) -> SearchSpace:
    """Return a space of small inverted-residual networks for the image side of the signature."""
    side, widths = signature.inputs[0].shape[-1] or SIDE, (0.25, 0.5, 0.75, 1.0)
    return _made(MobileSpace, image_size=side, widths=widths, depths=(1, 2))(signature)


def _every_mobile(signature: Signature) -> SearchSpace:
    """Return the whole space of mobile networks, of 20 thousand to 5 million parameters."""
    return _made(MobileSpace, image_size=signature.inputs[0].shape[-1] or SIDE)(signature)


def _autodistil(scale: int) -> UnionSpace:
    """Return the union of AutoDistil's three sub-spaces, with widths divided by `scale`."""
    sizes = ("tiny", "small", "base")
    return UnionSpace({size: TextEncoderSpace.autodistil(size, scale=scale) for size in sizes})


MakesSpace: TypeAlias = Callable[[Signature], SearchSpace]


def _offered(_name: str, found: Any) -> MakesSpace:
    """Wrap what a plugin provides (a class, function or space) as a factory of spaces."""
    return lambda signature: cast(SearchSpace, _of(found, signature))


SPACES: Registry[MakesSpace] = Registry(
    "space",
    "diswot.spaces",
    {
        "s0": _made(ResNetDepthSpace),
        "nas-bench-101": _made(NASBench101Space),
        "nas-bench-201": _made(NASBench201Space),
        "nas-bench-macro": _made(NASBenchMacroSpace),
        "nats-sss": _made(NATSSizeSpace),
        "macro-basic": _made(MacroSpace),
        "macro-bottleneck": _made(MacroSpace, bottlenecks=True),
        "macro-basic-224": _made(MacroSpace, image_size=224),
        "macro-bottleneck-224": _made(MacroSpace, bottlenecks=True, image_size=224),
        "autoformer": _made(AutoFormerSpace),
        "autoformer-224": _made(AutoFormerSpace, image_size=224, patch_size=16),
        "mobile": _every_mobile,
        "mobile-small": _mobile,
        "flexibert": _made(FlexiBERTSpace),
        "thin": _made(ThinSpace),
        "gated-convolution": _made(GatedConvolutionSpace),
        "vision-tower": _made(VisionTowerSpace),
        "text-encoder": _made(TextEncoderSpace),
        "autodistil": lambda _: _autodistil(1),
        "autodistil-mini": lambda _: _autodistil(8),
        "autodistil-tiny": _made(TextEncoderSpace.autodistil, size="tiny"),
        "autodistil-small": _made(TextEncoderSpace.autodistil, size="small"),
        "autodistil-base": _made(TextEncoderSpace.autodistil, size="base"),
    },
    adopt=_offered,
)
"""Search spaces by name: (signature of inputs and outputs) → space."""


def check_space_name(space: str | SearchSpace) -> None:
    """Check a space option before data are read.

    Args:
        space: a built-in name, `package.module:Class`, or a space.

    Raises:
        UnknownNameError: no space has this name.
        OptionError: `space` is neither a text nor a `SearchSpace`, or cannot be imported.
    """
    if isinstance(space, SearchSpace):
        return
    if not isinstance(space, str):
        raise OptionError(f"Expected a space's name or a SearchSpace, but got {space!r}")
    if is_reference(space):
        resolve(space, kind="space")
    else:
        SPACES.find(space, also=" (or give package.module:Class)")


def find_space(space: str | SearchSpace, signature: Signature) -> SearchSpace:
    """Make a search space for the given inputs and outputs; a space is returned unchanged.

    Args:
        space: a built-in name, `package.module:Class`, or a space; a class is called as
            described at [`made_for`][search_spaces.made_for].
        signature: shapes of the networks' inputs and outputs.

    Raises:
        UnknownNameError: no space has this name.
        SpaceError: the reference is not a search space, or it cannot be made for these inputs.
    """
    if isinstance(space, SearchSpace):
        return space
    check_space_name(space)
    named = resolve(space, kind="space") if is_reference(space) else SPACES[space]
    try:
        made = _of(named, signature) if is_reference(space) else named(signature)
    except Exception as error:
        raise SpaceError(
            f"space {space}: making it for {signature.describe()} raised {type(error).__name__}: "
            f"{first_line(error)}; fix the class, or take another space"
        ) from error
    if not isinstance(made, SearchSpace):
        raise SpaceError(
            f"space {space}: expected a search_spaces.SearchSpace, but got {type(made).__name__}"
        )
    return made


def _of(named: Any, signature: Signature) -> Any:
    return named if isinstance(named, SearchSpace) else made_for(named, signature)


def parse_architecture(space: SearchSpace, text: str) -> Architecture:
    """Parse the name of an architecture.

    Raises:
        SpaceError: `text` is not an architecture of the space.
    """
    try:
        return space.from_string(text)
    except ValueError as error:
        raise SpaceError(f"{error}: write an architecture of this space") from error
