"""Checkpoint files → networks; nothing in a file is executed."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor, nn

from diswot.errors import CheckpointError
from diswot.options import takes_options
from diswot.teachers._teacher import OwnView
from diswot.teachers._weights_file import read_weights, regular_file

State: TypeAlias = Mapping[str, Tensor]

_COUNTER = "num_batches_tracked"
"""Of batch normalization; not used in evaluation, and absent from old checkpoints."""

_WRAPPERS = re.compile(r"(?:^|(?<=\.))(?:module|_orig_mod|_fsdp_wrapped_module)\.")
"""Names that DataParallel, torch.compile and FSDP insert."""

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
"""Names in `torch.nn.utils`, and in `torch.nn.utils.parametrizations`."""


@takes_options
def load_checkpoint(network: nn.Module, path: str | Path) -> nn.Module:
    """Load a checkpoint file into `network` and return it.

    Whatever the network's own `load_state_dict(strict=True)` takes is taken. Otherwise a
    prefix of all the network's names (such as `module.`, `model.` or `student.`), names
    that `torch.compile` and DataParallel insert, and the other form of weight
    normalization are translated. Nothing in the file is executed.

    Args:
        network: changed in place.
        path: a `.safetensors`, `.pt`, `.pth` or `.bin` file, the index of a sharded
            checkpoint, or a folder with one of these.

    Raises:
        CheckpointError: the file is missing, damaged, hostile or of another network.
    """
    loaded_notes(network, path)
    return network


def loaded_notes(network: nn.Module, path: str | Path) -> tuple[str, ...]:
    """Load a checkpoint as `load_checkpoint` does; return what its user should know of it.

    Raises:
        CheckpointError: the file is missing, damaged, hostile or of another network.
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
    """Return where a checkpoint is, after making sure that there is a file, or a folder with one.

    Raises:
        CheckpointError: there is none, or it cannot be read.
    """
    if re.match(r"\w+://", str(path)):
        raise CheckpointError(f"{path} is a URL: download the file, and give its path")
    found = Path(path).expanduser() if str(path).startswith("~/") else Path(path)
    regular_file(found)
    return found


def _bare(network: nn.Module) -> nn.Module:
    """Return the network within what gives it inputs, compiles or replicates it."""
    while True:
        if isinstance(network, OwnView):
            network = network.network
        elif isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
            network = network.module
        elif isinstance(network, torch._dynamo.OptimizedModule):
            network = network._orig_mod
        else:
            return network


def _takes(network: nn.Module, state: State) -> bool:
    """Load `state` if torch's strict loading takes it; otherwise leave the network as it was."""
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    try:
        network.load_state_dict(state, strict=True)
    except Exception:  # noqa: BLE001  (hooks of the network's own raise anything)
        network.load_state_dict(before, strict=False)
        return False
    return True


def _load(state: State, network: nn.Module, path: Path) -> str:
    """Load a form of `state` that the network takes; return what was left out for it.

    Raises:
        CheckpointError: there is none, or several parts of the file fit.
    """
    expected = network.state_dict()
    best = state
    for form in _forms(state):
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
    raise _misfit(best, expected, path)


def _forms(state: State) -> Iterator[State]:
    """Yield `state` as it is, then without names of wrappers, then with other parametrizations."""
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
    """Return what stands before the network's names, wherever the file has all of them."""
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


def _misfit(state: State, expected: State, path: Path) -> CheckpointError:
    differing = [n for n, t in expected.items() if n not in state or state[n].shape != t.shape]
    extra = sorted(state.keys() - expected.keys())
    if differing:
        name = differing[0]
        got = f"shape {tuple(state[name].shape)}" if name in state else "nothing"
        more = f" ({len(differing) - 1:,} more of {len(expected):,} differ)" * (len(differing) > 1)
        what = f"expected {name} of shape {tuple(expected[name].shape)}, but got {got}{more}"
    elif extra:
        more = f" and {len(extra) - 1:,} more" * (len(extra) > 1)
        what = f"it has {extra[0]}{more}, which this network does not have"
    else:
        what = "the network's load_state_dict does not take it"
    return CheckpointError(
        f"{path} is of another network: {what}; give the checkpoint of this network"
    )


def _check_values(state: State, path: Path) -> None:
    """Refuse weights that are quantized, or not finite."""
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
