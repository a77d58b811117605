"""AutoDistil as a method of `run`: one supernet per sub-space, and students cut out of them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from diswot.errors import OptionError, SpaceError
from diswot.methods._run_method import RunMethod, Workshop
from diswot.methods.supernet._initialization import start_from
from diswot.methods.supernet._objective import objective_of
from diswot.methods.supernet._options import SupernetOptions
from diswot.methods.supernet._source import Sliced, Supernet
from diswot.methods.supernet._training import SupernetMethod
from diswot.networks.attention import check_attention
from diswot.progress import message
from diswot.scorers import find_scorer
from diswot.seeding import seed_for
from diswot.students import build_student
from diswot.tasks import Dataset, Task, cache_root
from diswot.tasks.text import TextData, text_files, with_plain_text
from diswot.training import Recipe, kept_or_trained, train_by
from search_spaces import Architecture, SearchSpace, Signature, UnionSpace, covering, partition

PARTS = 3
"""Default number of parts of a space without sub-spaces."""

DECAY, MAX_NORM = 0.01, 1.0
"""Weight decay and gradient clipping of the paper's code."""


class SupernetRun(RunMethod):
    """Trains one supernet per sub-space without labels; students are cut out of them.

    Source: AutoDistil (Xu et al., NeurIPS 2022). The search selects the candidate with the
    lowest held-out relation loss within the budget (task-agnostic); with `--shortlist`, the best
    candidates are also fine-tuned briefly on labels (task-proxy).
    """

    name = "supernet"
    summary = (
        "students cut out of supernets that learn the relations of the teacher, without labels"
    )
    options = SupernetOptions
    defaults: Mapping[str, Any] = {
        "scorer": "attention_relations",
        "engine": "exhaustive",
        "teacher_state": "trained",
    }
    needs_teacher = True
    trains_source = True
    scored_on = Sliced.scored_on

    def check(self, task: Task, options: Mapping[str, Any]) -> None:
        """Make sure that the task's networks have attention, and that the score needs no labels.

        Raises:
            OptionError: the networks have no tokens and attention, or the score reads labels.
            DataError: there is no plain text where it was named.
        """
        if not task.reads.issuperset({"tokens", "attention"}):
            raise OptionError(
                f"the method supernet reads attention among tokens, which networks of the task "
                f"{task.name} do not provide: use --task text, or leave --method out"
            )
        if (place := options.get("supernet_texts")) is not None:
            text_files(place)
        card = find_scorer(options.get("scorer") or self.defaults["scorer"]).card
        if card.needs_labels:
            raise OptionError(
                f"the method supernet searches without labels, but the scorer {card.name} reads "
                "them: use another, or fine-tune a --shortlist on the labels"
            )

    def searched(self, data: Dataset, _options: Mapping[str, Any]) -> Dataset:
        """Return the dataset without labels."""
        return _texts(data).without_labels()

    def source(self, workshop: Workshop) -> Sliced:
        """Train the supernets, or load them from the cache; return the source of students."""
        return train_supernets(workshop)


def train_supernets(workshop: Workshop) -> Sliced:
    """Train one supernet per sub-space, or load it from the cache.

    Supernets are cached under the data root, under a name with a hash of all settings, teacher
    and data. A stopped training is resumed and ends with the same weights.

    Args:
        workshop: teacher, space, data and options of `SupernetOptions`.

    Returns:
        A source of students, which are cut out of these supernets.

    Raises:
        SpaceError: the space cannot be divided into so many parts.
        NetworkError: the attention of the teacher cannot be read.
        DataError: the plain text is missing, is not UTF-8, or is shorter than one sequence.
    """
    workshop = replace(workshop, data=_training_texts(workshop))
    data, space = workshop.data, workshop.space
    # 1. The parts of the space, before a teacher without weights is trained.
    parts = sub_spaces(space, workshop.options.get("supernets"), data.signature)
    # 2. The teacher: supernets imitate the relations of its last attention layer.
    source = workshop.teacher()
    teacher = (source.weights or source.build)().to(workshop.device).eval()
    check_attention(teacher, f"the teacher {source.name}")
    # 3. One supernet per part of the space, large enough to contain its architectures.
    digests = data.digest, source.digest()
    results = []
    for number, archs in enumerate(parts, 1):
        stage = f"supernet {number}/{len(parts)}"
        # 4. Initialize from the teacher's weights, then train or load from the cache.
        network = _started(workshop, covering(archs), teacher, number)
        results.append(Supernet(archs, _trained(workshop, archs, network, teacher, stage, digests)))
    return Sliced(space, data.signature, tuple(results))


def _training_texts(workshop: Workshop) -> TextData:
    data, place = _texts(workshop.data), workshop.options.get("supernet_texts")
    return data if place is None else with_plain_text(data, place)


def sub_spaces(
    space: SearchSpace, count: int | None, signature: Signature
) -> Sequence[Sequence[Architecture]]:
    """Return the architectures of each sub-space, the smallest first.

    Args:
        space: a union of sub-spaces, or another space, which is divided by size.
        count: number of parts; by default the number of sub-spaces, or 3. With another number,
            a union is divided by size, too.
        signature: shapes of the networks' inputs and outputs.

    Raises:
        SpaceError: the space cannot be divided into so many parts.
    """
    try:
        # The sub-spaces of a union are its parts; other spaces are divided by size.
        if isinstance(space, UnionSpace) and count in (None, len(space.parts)):
            return [partition(part, 1, signature)[0] for part in space.parts.values()]
        result = partition(space, PARTS if count is None else count, signature)
        if isinstance(space, UnionSpace):  # whose largest network need not be one of a part
            for part in result:
                space.part_of(covering(part))
        return result
    except ValueError as error:
        raise SpaceError(f"supernets: {error}") from error


def _started(workshop: Workshop, arch: Architecture, teacher: nn.Module, number: int) -> nn.Module:
    """Return a supernet that is initialized with the teacher's weights where they fit."""
    space, signature = workshop.space, workshop.data.signature
    network = build_student(
        space, arch, signature, seed=seed_for(workshop.seed, "supernet", number)
    )
    if start_from(network, teacher) == 0:
        note = "the teacher's weights do not fit the supernet, which is randomly initialized"
        workshop.progress(message(f"supernet {number}", note))
    return network


def _trained(
    workshop: Workshop,
    archs: Sequence[Architecture],
    network: nn.Module,
    teacher: nn.Module,
    stage: str,
    digests: tuple[str, str],
) -> nn.Module:
    chosen, space = workshop.options, workshop.space
    method = SupernetMethod(
        network,
        teacher,
        archs=archs,
        space=space,
        signature=workshop.data.signature,
        objective=objective_of(chosen["supernet_loss"], teacher),
        random=chosen["random_students"],
    )
    data = method.objective.data(_texts(workshop.data), (method.held_out,))
    recipe = recipe_of(data, chosen, seed=workshop.seed)
    # The cache key covers everything that trained weights depend on.
    described = [space.to_string(arch) for arch in archs]
    shapes = [(name, tuple(item.shape)) for name, item in network.named_parameters()]
    of = (*digests, repr(recipe), repr(method.settings), described, shapes)
    mark = hashlib.sha256(repr(of).encode()).hexdigest()[:16]
    path = cache_root(workshop.root) / "supernets" / f"{data.name}-{mark}.safetensors"

    def train(folder: Path) -> None:
        train_by(
            method,
            data,
            recipe=recipe,
            folder=folder,
            device=workshop.device,
            progress=workshop.progress,
            stage=stage,
        )

    return kept_or_trained(network, path, train, stage=stage, progress=workshop.progress).eval()


def recipe_of(data: Dataset, options: Mapping[str, Any], *, seed: int) -> Recipe:
    """Return the recipe of a supernet: AdamW, cosine schedule and gradient clipping.

    Args:
        data: the dataset.
        options: the options `supernet_epochs` and `supernet_rate`.
        seed: seed of the training.
    """
    return Recipe(
        epochs=options["supernet_epochs"],
        batch_size=min(64, data.size("train")),
        optimizer="adamw",
        learning_rate=options["supernet_rate"],
        weight_decay=DECAY,
        schedule="cosine",
        augment="none",
        max_grad_norm=MAX_NORM,
        seed=seed,
    )


def _texts(data: Dataset) -> TextData:
    if not isinstance(data, TextData):
        raise OptionError(
            f"the method supernet trains on texts, but got {type(data).__name__}: use --task text"
        )
    return data
