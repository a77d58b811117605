"""Teachers with weights: their own, from the cache, or trained now."""

import hashlib
from dataclasses import replace
from pathlib import Path

from safetensors.torch import save
from torch import nn

from diswot.data import ImageData, cache_root
from diswot.distillation._objectives import find_objective
from diswot.distillation._training import Recipe, train
from diswot.errors import CheckpointError
from diswot.progress import Progress, news
from diswot.run_folder import replace_file
from diswot.seeding import seed_for
from diswot.teachers import Teacher, load_checkpoint


def trained_teacher(
    teacher: Teacher,
    data: ImageData,
    *,
    recipe: Recipe,
    root: Path,
    device: str,
    progress: Progress,
) -> nn.Module:
    """Return the teacher's network with weights, in evaluation mode.

    A built-in teacher without a checkpoint is trained on `data`, once: its weights are
    kept under `teachers/` in the data root (in the user's cache where that is
    read-only), named by a hash of data, network and recipe.
    """
    if teacher.weights is not None:
        return teacher.weights().to(device).eval()
    network = teacher.initialised(seed_for(recipe.seed, "teacher"))
    kept = _place(teacher, data, recipe, root)
    if kept.exists():
        try:
            return load_checkpoint(network, kept).to(device).eval()
        except CheckpointError:
            progress(news("teacher", f"{kept} is damaged, so it is trained again"))
    train(
        network,
        data,
        objective=replace(find_objective("alone"), name="teacher"),
        recipe=recipe,
        device=device,
        progress=progress,
    )
    kept.parent.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.cpu() for name, tensor in network.state_dict().items()}
    replace_file(kept, lambda path: path.write_bytes(save(state)))
    return network.eval()


def _place(teacher: Teacher, data: ImageData, recipe: Recipe, root: Path) -> Path:
    content = "/".join((data.digest, teacher.digest(), repr(recipe)))
    name = f"{teacher.name}-{data.name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    return cache_root(root) / "teachers" / f"{name}.safetensors"
