"""Trainings of students on a pool of other images, for `benchmarks.web_images`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from diswot.errors import DataError
from diswot.methods import Workshop, find_method
from diswot.methods.web_images import WebImagesMethod, mix_distribution
from diswot.networks import ActivationReader
from diswot.options import filled
from diswot.progress import silent
from diswot.search import find_space
from diswot.tasks import TrainingBatches, data_root
from diswot.tasks.images import ImageData, Split, load_data, mixed_digits, style_shifted, with_pool
from diswot.training import Distillation, TrainedTeacher, prepare_distillation

POOL = "mixed-digits"
BATCH = 64

FAMILIAR = ("n02058221", "n02123394", "n02124075")
"""Classes of Tiny ImageNet with objects of CIFAR-10: an albatross, and two breeds of cats."""


@dataclass(frozen=True)
class Arm:
    """One way to distill on the pool.

    Attributes:
        options: options of the method.
        against: arm with which it is compared.
        loss: the loss; by default that of the method.
        all_if_none: whether an epoch uses the whole pool if its selection is empty, which is
            otherwise an error.
    """

    options: Mapping[str, Any]
    against: str | None = None
    loss: str | None = None
    all_if_none: bool = False


OWN: Mapping[str, Any] = {"share_classifier": False, "contrast_weight": 0.0}
SHARED: Mapping[str, Any] = {"contrast_weight": 0.0}
ARMS: Mapping[str, Arm] = {
    "whole pool": Arm({**OWN, "pool_selection": "all"}),
    "one threshold": Arm({**OWN, "pool_selection": "threshold"}, "whole pool"),
    "dynamic": Arm({**OWN}, "whole pool"),
    "shared classifier": Arm(SHARED, "dynamic"),
    "MixDistribution": Arm({}, "shared classifier"),
    "unweighted": Arm(SHARED, "shared classifier", "kd3(weighted=False)"),
    "teacher selects": Arm({**SHARED, "pool_selection": "teacher"}, "shared classifier"),
    "student selects": Arm(
        {**SHARED, "pool_selection": "student"}, "shared classifier", all_if_none=True
    ),
}


@dataclass(frozen=True)
class WebImagesSettings:
    """What is compared: one student, the same number of steps in every arm.

    Attributes:
        data: the dataset of teacher, validation and test.
        pool: the images that students are trained on.
        teacher: the teacher, trained once on the training images.
        teacher_epochs: epochs of its training.
        space: space of the student.
        student: its architecture.
        seeds: number of seeds of students.
        epochs: epochs of a training.
        images: images per epoch.
    """

    data: str = "digits"
    pool: str = POOL
    teacher: str = "resnet20"
    teacher_epochs: int = 60
    space: str = "thin"
    student: str = "stem=5,expansion=2,width1=8,depth1=2,kernel1=3,width2=16,depth2=2,kernel2=3"
    seeds: int = 5
    epochs: int = 12
    images: int = 1600


CIFAR = WebImagesSettings(
    data="cifar10",
    pool="tiny-imagenet-20",
    teacher_epochs=20,
    seeds=2,
    epochs=8,
    images=960,
)
"""Settings of a small study of photos: samples of CIFAR-10 and Tiny ImageNet, 120 steps."""

MAIN = tuple(ARMS)[:5]
"""Arms of the small study: every part of the method, without controls."""


@cache
def distillation_of(settings: WebImagesSettings, root: str | None) -> Distillation:
    """Return teacher, data and recipe; the teacher is trained once and cached.

    Args:
        settings: what is compared.
        root: the data root; `None` for the default.
    """
    return prepare_distillation(
        settings.teacher,
        data=settings.data,
        epochs=20,
        teacher_epochs=settings.teacher_epochs,
        data_root=root,
        device="cpu",
    )


@cache
def familiar_images(pool: str, root: str | None) -> Tensor:
    """Return whether each image of a pool shows something of a class of the teacher (n,).

    Args:
        pool: `mixed-digits` or `tiny-imagenet-20`, whose labels no training reads.
        root: the data root; `None` for the default.
    """
    if pool == POOL:
        return mixed_digits().labels < 10
    data = load_data(pool, root=root)
    numbers = torch.tensor([(data.classes or ()).index(name) for name in FAMILIAR])
    return torch.isin(data.train.take(torch.arange(data.size("train"))).labels, numbers)


@dataclass
class Observed:
    """Selected share of the pool and precision of every epoch."""

    selected: list[float] = field(default_factory=list)
    precision: list[float] = field(default_factory=list)


class ObservedMethod(WebImagesMethod):
    """The method, with a record of whether selected images show classes of the teacher."""

    def __init__(
        self,
        *args: Any,
        observed: Observed,
        familiar: Tensor,
        all_if_none: bool,
        **other: Any,
    ) -> None:
        super().__init__(*args, **other)
        self._observed, self._familiar, self._all_if_none = observed, familiar, all_if_none

    def start_epoch(self, epoch: int, epochs: int, batches: TrainingBatches) -> None:
        """Select the images of an epoch, and compare the selection with the hidden labels."""
        try:
            super().start_epoch(epoch, epochs, batches)
        except DataError:
            if not self._all_if_none:
                raise
            self.kept.fill_(value=True)
        self._observed.selected.append(float(self.kept.double().mean()))
        self._observed.precision.append(float(self._familiar[self.kept].double().mean()))


def one_training(
    settings: WebImagesSettings, root: str | None, task: tuple[str, int]
) -> dict[str, Any]:
    """Run one training, and return its record.

    Args:
        settings: what is compared.
        root: the data root; `None` for the default.
        task: arm and seed.
    """
    name, seed = task
    whole, method, arm = distillation_of(settings, root), find_method("web-images"), ARMS[name]
    data = cast(ImageData, whole.data)
    known = {"pool": settings.pool, "images_per_epoch": settings.images}
    options = filled(method.options, {**known, **arm.options})
    teacher = cast(TrainedTeacher, whole.teacher).source
    space = find_space(settings.space, data.signature)
    workshop = Workshop(lambda: teacher, space, data, data_root(root), "cpu", seed, options, silent)
    student = method.source(workshop).student(space.from_string(settings.student), seed=seed)
    observed = Observed()
    make = partial(
        ObservedMethod,
        options=options,
        with_pool=cast(Any, partial(with_pool, pool=settings.pool, root=root)),
        observed=observed,
        familiar=familiar_images(settings.pool, root),
        all_if_none=arm.all_if_none,
    )
    recipe = replace(whole.recipe, epochs=settings.epochs, batch_size=BATCH, seed=seed)
    training = replace(whole, recipe=recipe, make=cast(Any, make)).train(
        student, loss=arm.loss or method.losses(data.task, options)[0]
    )
    shifted = Split(style_shifted(data.test.images, seed=1), data.test.labels)
    on_shifted = data.metrics[0].measure(student, replace(data, test=shifted), "test")
    return {
        "arm": name,
        "seed": seed,
        "accuracy": training.test.value,
        "shifted": on_shifted.value,
        "cosine": view_cosine(student, data),
        **asdict(observed),
    }


@torch.no_grad()
def view_cosine(student: nn.Module, data: ImageData) -> float:
    """Return the mean cosine of features of test images and of copies with mixed statistics."""
    images = data.normalize(data.test.images)
    partners = torch.arange(len(images)).roll(1)
    mixed = mix_distribution(images, torch.zeros(len(images)), partners)
    with ActivationReader(student.eval()) as read:
        one, other = (
            torch.cat([read(part).features for part in torch.split(view, 250)])
            for view in (images, mixed)
        )
    return float(torch.cosine_similarity(one, other).mean())
