"""Distillation on the images of a pool that teacher and student are confident about."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from diswot.errors import DataError
from diswot.losses import Losses, Objective
from diswot.methods._unlabeled import UnlabeledMethod
from diswot.methods.web_images._batches import SelectedBatches
from diswot.methods.web_images._contrast import Embedding, contrast_loss, drawn_mix
from diswot.methods.web_images._selection import MIXING, select
from diswot.networks import Activations, kept_modes
from diswot.networks.output import run
from diswot.networks.shared_classifier import Projected
from diswot.seeding import seed_for, torch_seed
from diswot.tasks import Batch, Changes, Dataset, TrainingBatches

AT_ONCE = 256
"""Batch size with which the pool is classified."""

MOST_CLASSES = 100
"""Number of classes up to which the share of every class is recorded."""

SELECTED = "selected"
"""Column with the selected share of the pool, and prefix of the columns of classes."""

WithPool = Callable[[Dataset], Dataset]
"""(data) → the same data with the pool as training split."""


class WebImagesMethod(UnlabeledMethod):
    """Trains a student on the images of a pool that are selected again in every epoch.

    Before each epoch, teacher and student classify the whole pool with random augmentation, and
    the confident images are selected. If the student has the teacher's classifier, it learns the
    teacher's feature maps. A small contrastive term compares every image with itself after
    `mix_distribution`. The paper adds the same term for the teacher's features, which is left out:
    it trains only an embedding of these features and gives the student no gradient, because the
    teacher is frozen.

    Source: Tang et al., "Distribution Shift Matters for Knowledge Distillation with Webly
    Collected Images" (KD³), ICCV 2023, as in the authors' code. An epoch has a fixed number of
    images, for which the selection is repeated; this is ours, so that all selections take as many
    steps.

    Args:
        student: the network to train.
        objective: a loss of student and teacher without labels.
        teachers: the teacher, by name.
        seed: seed of the initial weights of the embedding, and of the augmentation of selections.
        options: options of `WebImagesOptions`, including defaults.
        with_pool: returns data with the pool as training split.

    Raises:
        OptionError: there is no teacher, or the loss reads labels.
    """

    examples_name = "images of a pool"
    kept: Tensor
    offset: Tensor
    shares: Tensor

    def __init__(
        self,
        student: nn.Module,
        objective: Objective,
        *,
        teachers: Mapping[str, nn.Module] | None = None,
        seed: int = 0,
        options: Mapping[str, Any],
        with_pool: WithPool,
    ) -> None:
        super().__init__(student, objective, teachers=teachers, seed=seed, options=options)
        self._with_pool = with_pool

    @property
    def settings(self) -> dict[str, Any]:
        """Loss, teacher and options, for the fingerprint of a training."""
        return {**super().settings, "web_images": {k: str(v) for k, v in self._options.items()}}

    def setup(self, data: Dataset, device: str) -> None:
        """Create the state of the selection and the embedding, and build the criterion.

        Args:
            data: the dataset, of which only the signature is used.
            device: torch device.

        Raises:
            NetworkError: the student has no features that can be contrasted.
            OptionError: the loss is first trained on the teacher's outputs.
        """
        pool, outputs = self._with_pool(data), data.signature.outputs
        self.register_buffer("kept", torch.ones(pool.size("train"), dtype=torch.bool))
        self.register_buffer("offset", torch.zeros((), dtype=torch.long))
        self.register_buffer("shares", torch.zeros(outputs))
        super().setup(pool, device)
        self._names = tuple(getattr(data, "classes", None) or map(str, range(outputs)))
        body = [each[0] for each in self.student.modules() if isinstance(each, Projected)]
        self._body: nn.Module | None = next(iter(body), None)
        if self._options["contrast_weight"]:
            self._embed(*self.examples(pool, device))

    def _embed(self, *inputs: Tensor) -> None:
        """Create the embedding of the student's features."""
        with torch.no_grad(), kept_modes(self.student), self._student_watched():
            self.student.eval()
            size = self._features(self._read(*inputs)).shape[1]
        with torch_seed(seed_for(self._seed, "embedding")):
            self.embedding = Embedding(size).to(inputs[0].device)

    def examples_per_epoch(self, data: Dataset) -> int:
        """Return the number of images per epoch, by default the size of the pool."""
        return int(self._options["images_per_epoch"] or self._with_pool(data).size("train"))

    def batches(self, data: Dataset, changes: Changes, *, device: str = "cpu") -> TrainingBatches:
        """Return batches of the selected images, with the recipe's augmentation."""
        source = self._with_pool(data).training(changes, device=device)
        return SelectedBatches(source, self._selected)

    def _selected(self) -> Tensor:
        """Return the indices (n,) of the selected images in the pool, in the epoch's order."""
        return self.kept.nonzero().squeeze(1).cpu().roll(-int(self.offset))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Attach the readers' forward hooks inside the block."""
        with super().watching(), self._body_watched():
            yield

    @contextmanager
    def _student_watched(self) -> Iterator[None]:
        """Attach the forward hooks of the student inside the block."""
        with self._read, self._body_watched():
            yield

    @contextmanager
    def _body_watched(self) -> Iterator[None]:
        def keep(_module: nn.Module, _args: Any, output: Tensor) -> None:
            self._maps = output

        handle = None if self._body is None else self._body.register_forward_hook(keep)
        try:
            yield
        finally:
            if handle is not None:
                handle.remove()

    def _features(self, student: Activations) -> Tensor:
        """Return the student's pooled features (B, D), before its projector if it has one."""
        return student.features if self._body is None else self._maps.mean((2, 3))

    def start_epoch(self, epoch: int, epochs: int, batches: TrainingBatches) -> None:
        """Select the images of an epoch.

        Args:
            epoch: number of the epoch, from 0.
            epochs: number of epochs of the training.
            batches: the batches of the training.

        Raises:
            DataError: no image is selected.
        """
        mixing = MIXING.get(self._options["pool_selection"])
        if mixing is None or not isinstance(batches, SelectedBatches):
            return
        with torch_seed(seed_for(self._seed, "selection", epoch)):
            self.offset.fill_(torch.randint(len(self.kept), ()))
            logits = self._mixed(batches, mixing.share(epoch, epochs))
        chosen = select(
            logits,
            threshold=self._options["selection_threshold"],
            per_class=mixing.per_class,
        )
        if not bool(chosen.kept.any()):
            raise DataError(
                f"epoch {epoch + 1} selects none of the {len(self.kept):,} images of the pool, of "
                f"which the most confident has probability {float(chosen.confidence.max()):.3f}: "
                "lower --selection-threshold, give images that are more like the teacher's, or "
                "use --pool-selection all"
            )
        self.kept.copy_(chosen.kept)
        counts = torch.bincount(chosen.classes[chosen.kept], minlength=len(self.shares))
        self.shares.copy_(counts / len(self.kept))

    @torch.no_grad()
    def _mixed(self, batches: SelectedBatches, share: float) -> Tensor:
        """Return a z_T + (1 − a) z_S (n, N) for the augmented pool and the teacher's share a.

        A network without a share does not run.
        """
        (teacher,) = self.teachers.values()
        networks = {"the student": (1 - share, self.student), "the teacher": (share, teacher)}
        rows = []
        with kept_modes(self.student):
            self.student.eval()
            for indices in torch.split(torch.arange(len(self.kept)), AT_ONCE):
                (images,) = batches.pool(indices).inputs
                outputs = [
                    weight * run(network, images, who=who).float()
                    for who, (weight, network) in networks.items()
                    if weight
                ]
                rows.append(torch.stack(outputs).sum(0))
        return torch.cat(rows)

    def epoch_values(self) -> Mapping[str, float]:
        """Return the selected shares of the pool, in total and for each class."""
        if self._options["pool_selection"] not in MIXING:
            return {}
        values = {SELECTED: float(self.kept.double().mean())}
        if len(self._names) <= MOST_CLASSES:
            shares = zip(self._names, self.shares.tolist(), strict=True)
            values |= {f"{SELECTED}_{name}": share for name, share in shares}
        return values

    def losses(self, _player: str, batch: Batch, progress: float) -> Losses:
        """Return the loss of a batch of selected images, with the contrastive term.

        Args:
            batch: images of the pool.
            progress: fraction of the training that is done, from 0 to 1.
        """
        student = self._read(*batch.inputs)
        features = self._features(student)
        result = self.loss_of(student, self.teacher_outputs(batch), batch, progress)
        weight = self._options["contrast_weight"]
        if not weight:
            return result
        (images,) = batch.inputs
        others = self._features(self._read(drawn_mix(images)))
        contrast = weight * contrast_loss(self.embedding(features), self.embedding(others))
        return Losses(result.total + contrast, {**result.terms, "contrast": contrast.detach()})
