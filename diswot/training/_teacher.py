"""Teachers by name, and with weights: their own, from the cache, or trained now."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import safe_open
from safetensors.torch import save
from torch import nn

from diswot.devices import is_first, processes
from diswot.errors import CheckpointError, RunFolderError, TeacherError, first_line
from diswot.losses import parse_objective
from diswot.networks.copies import copied
from diswot.progress import Progress, message
from diswot.runs.folder import replace_file
from diswot.seeding import seed_for
from diswot.tasks import Dataset, Measure, cache_root, values_of
from diswot.teachers import Teacher, load_checkpoint
from diswot.training._given import check_compatible
from diswot.training._recipe import Recipe, default_recipe
from diswot.training._training import train

_LONGER = "give its weights (--teacher-weights), train it longer (--teacher-epochs)"
"""What to do about a teacher near chance of which nothing in particular is known."""

_DIGEST = "sha256"
"""The entry of a kept teacher's metadata that holds the digest of its weights."""


@dataclass(frozen=True)
class TrainedTeacher:
    """A teacher with weights.

    Attributes:
        source: what it is, with these weights.
        network: the network to distill from, on the device.
        test: its measure on the test split.
    """

    source: Teacher
    network: nn.Module
    test: Measure


def named_teacher(
    teacher: str | nn.Module | Teacher,
    data: Dataset,
    *,
    weights: str | Path | None,
    seed: int = 0,
    progress: Progress,
    **options: Any,
) -> tuple[Teacher, nn.Module]:
    """Find a teacher that fits `data`, and report its notes.

    Returns:
        The teacher, and its network: with its weights, or else initialized by `seed`.

    Raises:
        DiswotError: it does not exist, or does not fit.
    """
    found = data.task.find_teacher(teacher, data, weights=weights, **options)
    for note in found.notes:
        progress(message("teacher", note, can_wait=True))
    network = found.initialized(seed) if found.weights is None else found.weights()
    untrained = found.weights is None
    check_compatible(network, data, f"teacher {found.name}", training=untrained)
    return found, network


def trained_teacher(
    teacher: str | nn.Module | Teacher,
    data: Dataset,
    *,
    weights: str | Path | None = None,
    role: str = "teacher",
    epochs: int,
    root: Path,
    device: str,
    force: bool,
    progress: Progress,
    **options: Any,
) -> TrainedTeacher:
    """Return a teacher with weights that knows something of `data`.

    A built-in teacher without a checkpoint is trained, once, by the default recipe, on what
    `data` has for a teacher of this name: its weights are kept under `teachers/` in the data
    root (in the user's cache where that is read-only), named by a hash of these data, network
    and recipe.

    Args:
        teacher: what [`find_teacher`][diswot.tasks.Task.find_teacher] takes.
        data: what it is a teacher for, and evaluated on.
        weights: a checkpoint to load into it.
        role: its name among the teachers of the task.
        epochs: of its training, where it has no weights.
        root: the data root.
        device: where to compute.
        force: whether it may be little better than chance.
        progress: receives every step.
        **options: of the task's own, such as `teacher_classes`.

    Raises:
        DiswotError: it does not exist, or does not fit.
        TeacherError: it is little better than chance.
        RunFolderError: several processes are to train it, and another one does already.
    """
    named, network = named_teacher(teacher, data, weights=weights, progress=progress, **options)
    who = named.name if len(data.task.teachers) == 1 else f"{named.name} ({role})"
    if named.weights is None:
        network = _trained_once(
            named,
            data.for_teacher(role),
            epochs=epochs,
            root=root,
            device=device,
            progress=progress,
        )
    network = network.to(device).eval()
    advice = data.task.check_trained(
        named, network, data, device=device, force=force, progress=progress
    )
    metric = data.metrics[0]
    values = values_of(metric, network, data, "test", device=device)
    test = metric.summarize(values, data, "test")
    progress(message("teacher", f"{who} has a test {metric.name} of {test}"))
    if metric.is_near_chance(values, data, "test") and not force:
        raise TeacherError(
            f"the teacher {who} has a test {metric.name} of {test}, little better than "
            f"chance: {advice or _LONGER}, or take it with --force"
        )
    source = Teacher(named.name, named.build, partial(copied, network))
    return TrainedTeacher(source, network, test)


def _trained_once(
    teacher: Teacher,
    data: Dataset,
    *,
    epochs: int,
    root: Path,
    device: str,
    progress: Progress,
) -> nn.Module:
    """Return the network of a teacher without weights, trained now or loaded from the cache."""
    recipe = default_recipe(data, epochs=epochs)
    network = teacher.initialized(seed_for(recipe.seed, "teacher"))
    kept = _place(teacher, data, recipe, root)
    with _turn(kept, progress):
        if kept.exists():
            try:
                return _kept(network, kept, progress)
            except CheckpointError:
                progress(message("teacher", f"{kept} is damaged, so it is trained again"))
        unfinished = kept.with_suffix(".unfinished")
        train(
            network,
            data,
            objective=parse_objective(data.task.losses[0]),
            recipe=recipe,
            folder=unfinished,
            device=device,
            progress=progress,
            stage="teacher",
        )
        if is_first():
            state = {name: tensor.cpu() for name, tensor in network.state_dict().items()}
            content = save(state, {_DIGEST: hashlib.sha256(save(state)).hexdigest()})
            replace_file(kept, lambda path: path.write_bytes(content))
            shutil.rmtree(unfinished, ignore_errors=True)
    return network


@contextmanager
def _turn(kept: Path, progress: Progress) -> Iterator[None]:
    """Wait until no other process trains the same teacher, for it need not be trained twice.

    Raises:
        RunFolderError: one does, and this is one of several that train together.
    """
    if not is_first():
        yield
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(kept.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        if processes() > 1:  # the others do not wait
            raise RunFolderError(f"another process trains {kept}: wait for its end") from error
        progress(message("teacher", f"another process trains it: waiting for {kept}"))
        lock.acquire()
    try:
        yield
    finally:
        with suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()


def _kept(network: nn.Module, path: Path, progress: Progress) -> nn.Module:
    """Load weights that an earlier process kept.

    Raises:
        CheckpointError: they are damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            digest = (file.metadata() or {}).get(_DIGEST)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # a damaged file can make the reader raise anything
        raise CheckpointError(f"{path} cannot be read ({first_line(error)})") from error
    if digest is None:
        progress(message("teacher", f"{path} has no checksum (DisWOT 0.1.0 wrote none): unchecked"))
    elif digest != hashlib.sha256(save(state)).hexdigest():
        raise CheckpointError(f"the checksum of {path} is not that of its content")
    return load_checkpoint(network, path)


def _place(teacher: Teacher, data: Dataset, recipe: Recipe, root: Path) -> Path:
    content = "/".join((data.digest, teacher.digest(), repr(recipe)))
    name = f"{teacher.name}-{data.name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    return cache_root(root) / "teachers" / f"{name}.safetensors"
