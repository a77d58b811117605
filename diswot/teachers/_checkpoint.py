"""Load checkpoint files into networks without executing code from them."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor, nn

from diswot.errors import CheckpointError
from diswot.networks import unwrapped
from diswot.options import takes_options
from diswot.teachers._public_names import translation, with_projections
from diswot.teachers._teacher import OwnView
from diswot.teachers._weights_file import read_weights, regular_file

State: TypeAlias = Mapping[str, Tensor]

_COUNTER = "num_batches_tracked"
"""Buffer of batch normalization that evaluation does not use and old checkpoints lack."""

_WRAPPERS = re.compile(r"(?:^|(?<=\.))(?:module|_orig_mod|_fsdp_wrapped_module)\.")
"""Parts of parameter names that DataParallel, torch.compile and FSDP insert."""

_PARAMETRIZED = {
    "weight normalization": {
        "weight_g": "parametrizations.weight.original0",
        "weight_v": "parametrizations.weight.original1",
    },
    "spectral normalization": {
        "weight_orig": "parametrizations.weight.original",
        "weight_u": "parametrizations.weight.0._u",
        "weight_v": "parametrizations.weight.0._v",
    },
}
"""Names of parameters in `torch.nn.utils` → in `torch.nn.utils.parametrizations`."""


@takes_options
def load_checkpoint(network: nn.Module, path: str | Path) -> nn.Module:
    """Load a checkpoint file into `network`, and return the network.

    The state dict is first passed to `load_state_dict(strict=True)`. If that fails, common
    differences of names are resolved: a prefix of all names (such as `module.`, `model.` or
    `student.`), parts inserted by `torch.compile`, DataParallel or FSDP, the old or new form
    of weight and spectral normalization, and the names of public CIFAR checkpoints. No code from
    the file is executed.

    Args:
        network: changed in place.
        path: a `.safetensors`, `.pt`, `.pth` or `.bin` file, the index of a sharded
            checkpoint, or a folder with one of these.

    Raises:
        CheckpointError: the file is missing or damaged, contains code, or belongs to another
            network.
    """
    loaded_notes(network, path)
    return network


def loaded_notes(network: nn.Module, path: str | Path) -> tuple[str, ...]:
    """Load a checkpoint as `load_checkpoint` does; return notes for the user.

    Args:
        network: changed in place.
        path: the checkpoint.

    Returns:
        Notes, for example on tensors that were not used or on converted types.

    Raises:
        CheckpointError: the file is missing or damaged, contains code, or belongs to another
            network.
    """
    path = checkpoint_path(path)
    target = _bare(network)
    state, notes = read_weights(path)
    _check_values(state, path)
    left_out = _load(state, target, path)
    if left_out:
        notes += (f"{path.name}: {left_out}",)
    narrow = {t.dtype for t in state.values() if t.is_floating_point()} - {torch.float32}
    if narrow:
        kinds = ", ".join(sorted(str(kind).removeprefix("torch.") for kind in narrow))
        notes += (f"{path.name} has weights in {kinds}, converted to the network's type",)
    return notes


def checkpoint_path(path: str | Path) -> Path:
    """Check that a checkpoint exists; return its path with `~` expanded.

    Args:
        path: a file, or a folder with a checkpoint.

    Raises:
        CheckpointError: there is no checkpoint, or it cannot be read.
    """
    if re.match(r"\w+://", str(path)):
        raise CheckpointError(f"{path} is a URL: download the file, and give its path")
    result = Path(path).expanduser() if str(path).startswith("~/") else Path(path)
    regular_file(result)
    return result


def _bare(network: nn.Module) -> nn.Module:
    """Return the network inside `OwnView`, DataParallel and `torch.compile` wrappers."""
    network = unwrapped(network)
    while isinstance(network, OwnView):
        network = unwrapped(network.network)
    return network


def _takes(network: nn.Module, state: State) -> bool:
    """Try strict loading; return whether it succeeded. On failure the network is unchanged."""
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    try:
        network.load_state_dict(state, strict=True)
    except Exception:  # noqa: BLE001  (a network's loading hooks can raise anything)
        network.load_state_dict(before, strict=False)
        return False
    return True


def _load(state: State, network: nn.Module, path: Path) -> str:
    """Load the first variant of `state` that fits; return a note on unused tensors.

    Raises:
        CheckpointError: no variant fits, or several parts of the file do.
    """
    expected = network.state_dict()
    best = state
    for form in _forms(state):
        # First with all names as they are, then with a common prefix removed.
        if _takes(network, _completed(form, expected)):
            return ""
        prefixes = _prefixes(form, expected)
        if len(prefixes) > 1:
            raise CheckpointError(
                f"{path} holds several networks of this kind ({', '.join(prefixes[:3])}): "
                "save the state dict of one alone"
            )
        if prefixes:
            best = _under(form, prefixes[0])
            if _takes(network, _completed(best, expected)):
                others = len(form) - len(best)
                return f"tensors outside {prefixes[0]} not used: {others:,}" if others else ""
    for form in _forms(state):
        if names := translation(form):
            best = with_projections(_renamed(form, names.__getitem__), expected)
            if _takes(network, _completed(best, expected)):
                added = len(best) > len(form)
                return "its shortcuts without parameters became projections" if added else ""
            raise _misfit(best, expected, path, {new: old for old, new in names.items()})
    raise _misfit(best, expected, path)


def _forms(state: State) -> Iterator[State]:
    """Yield variants of `state`: unchanged, without wrapper names, with other normalization."""
    yield state
    bare = _renamed(state, lambda name: _WRAPPERS.sub("", name))
    if bare.keys() != state.keys() and len(bare) == len(state):
        yield bare
    for old_to_new in _PARAMETRIZED.values():
        new_to_old = {new: old for old, new in old_to_new.items()}
        for names in (old_to_new, new_to_old):
            if any(f".{name}".endswith(f".{next(iter(names))}") for name in bare):
                yield _renamed(bare, partial(_translated, endings=names))


def _translated(name: str, endings: Mapping[str, str]) -> str:
    for ending, other in endings.items():
        if f".{name}".endswith(f".{ending}"):
            return name.removesuffix(ending) + other
    return name


def _renamed(state: State, rename: Callable[[str], str]) -> State:
    return {rename(name): tensor for name, tensor in state.items()}


def _prefixes(state: State, expected: State) -> list[str]:
    """Return all prefixes under which the file has a complete set of the network's names."""
    needed = [name for name in expected if not name.endswith(_COUNTER)]
    if not needed:
        return []
    ends = [name.removesuffix(needed[0]) for name in state if name.endswith(f".{needed[0]}")]
    return [
        prefix for prefix in ends if prefix and all(f"{prefix}{name}" in state for name in needed)
    ]


def _under(state: State, prefix: str) -> State:
    part: OrderedDict[str, Tensor] = OrderedDict(
        (name.removeprefix(prefix), state[name]) for name in state if name.startswith(prefix)
    )
    if hasattr(state, "_metadata"):
        part._metadata = {  # type: ignore[attr-defined]  # versions by module, read by torch
            key.removeprefix(prefix): value
            for key, value in state._metadata.items()
            if f"{key}.".startswith(prefix)
        }
    return part


def _completed(state: State, expected: State) -> State:
    """Add the counters of batch normalization that old checkpoints lack."""
    lacking = [name for name in expected if name.endswith(_COUNTER) and name not in state]
    if not lacking:
        return state
    return {**state, **{name: torch.zeros_like(expected[name]) for name in lacking}}


def _misfit(
    state: State, expected: State, path: Path, names: Mapping[str, str] | None = None
) -> CheckpointError:
    """Return the error for a state dict that does not fit.

    Args:
        state: tensors under the network's names.
        expected: the network's own tensors.
        path: the file.
        names: name in the network → name in the file, where they differ.
    """

    def written(name: str) -> str:
        other = (names or {}).get(name, name)
        return name if other == name else f"{name} (in the file {other})"

    differing = [n for n, t in expected.items() if n not in state or state[n].shape != t.shape]
    extra = sorted(state.keys() - expected.keys())
    if differing:
        name = differing[0]
        got = f"shape {tuple(state[name].shape)}" if name in state else "nothing"
        more = f" ({len(differing) - 1:,} more of {len(expected):,} differ)" * (len(differing) > 1)
        what = (
            f"expected {written(name)} of shape {tuple(expected[name].shape)}, but got {got}{more}"
        )
    elif extra:
        more = f" and {len(extra) - 1:,} more" * (len(extra) > 1)
        what = f"it has {written(extra[0])}{more}, which this network does not have"
    else:
        what = "the network's load_state_dict rejects it"
    return CheckpointError(
        f"{path} is of another network: {what}; give the checkpoint of this network"
    )


def _check_values(state: State, path: Path) -> None:
    """Raise an error if weights are quantized or not finite."""
    for name, tensor in state.items():
        is_weight = name.endswith("weight")
        if tensor.is_quantized or (is_weight and not tensor.is_floating_point()):
            raise CheckpointError(
                f"{path} has quantized weights ({name} in {tensor.dtype}): "
                "give the checkpoint in floating point"
            )
        if (is_weight or name.endswith("bias")) and not bool(tensor.float().isfinite().all()):
            raise CheckpointError(
                f"{path} has values that are not finite in {name}, as after a training that "
                "diverged: give an earlier checkpoint"
            )
