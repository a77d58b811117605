"""A cache of trained networks: trained once, then loaded from a file."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from safetensors import safe_open
from safetensors.torch import save
from torch import nn

from diswot.devices import is_first, processes
from diswot.errors import CheckpointError, RunFolderError, first_line
from diswot.progress import Progress, message
from diswot.runs.folder import replace_file
from diswot.teachers import load_checkpoint

_DIGEST = "sha256"
"""Key of the SHA-256 of the weights in the metadata of a cached file."""


def kept_or_trained(
    network: nn.Module,
    kept: Path,
    train: Callable[[Path], None],
    *,
    stage: str,
    progress: Progress,
) -> nn.Module:
    """Load a network's weights from a cached file, or train it and write the file.

    A lock makes sure that only one process trains the same network; others wait.

    Args:
        network: receives the weights.
        kept: the cached file, whose name must identify everything that the weights depend on.
        train: trains the network in place; called with a folder, in which an interrupted
            training is resumed.
        stage: name of the training in messages.
        progress: receives the messages.

    Returns:
        `network`.

    Raises:
        RunFolderError: this is one of several processes that train together, and another
            program already trains the network.
    """
    with _turn(kept, stage, progress):
        if kept.exists():
            try:
                return _kept(network, kept, stage, progress)
            except CheckpointError:
                progress(message(stage, f"{kept} is damaged, so it is trained again"))
        unfinished = kept.with_suffix(".unfinished")
        train(unfinished)
        if is_first():
            state = {name: tensor.cpu() for name, tensor in network.state_dict().items()}
            content = save(state, {_DIGEST: hashlib.sha256(save(state)).hexdigest()})
            replace_file(kept, lambda path: path.write_bytes(content))
            shutil.rmtree(unfinished, ignore_errors=True)
    return network


@contextmanager
def _turn(path: Path, stage: str, progress: Progress) -> Iterator[None]:
    """Hold a lock inside the block; wait while another program trains the same network.

    Raises:
        RunFolderError: another program holds it, and several processes train together here.
    """
    if not is_first():
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        if processes() > 1:  # the other ranks would not wait for this one
            raise RunFolderError(f"another process trains {path}: wait for its end") from error
        progress(message(stage, f"another process trains it: waiting for {path}"))
        lock.acquire()
    try:
        yield
    finally:
        with suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()


def _kept(network: nn.Module, path: Path, stage: str, progress: Progress) -> nn.Module:
    """Load weights from a cached file.

    Raises:
        CheckpointError: the file is damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            digest = (file.metadata() or {}).get(_DIGEST)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # a damaged file can make the reader raise anything
        raise CheckpointError(f"{path} cannot be read ({first_line(error)})") from error
    if digest is None:
        progress(message(stage, f"{path} has no checksum (DisWOT 0.1.0 wrote none): unchecked"))
    elif digest != hashlib.sha256(save(state)).hexdigest():
        raise CheckpointError(f"the checksum of {path} does not match its content")
    return load_checkpoint(network, path)
