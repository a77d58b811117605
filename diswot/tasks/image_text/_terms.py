"""Loss terms of image-text students and teachers."""

from torch import Tensor

from diswot.errors import OptionError
from diswot.losses import (
    Card,
    Count,
    LossContext,
    Positive,
    Preset,
    Term,
    TrainingBatch,
    register,
    register_preset,
)
from diswot.networks import Activations
from diswot.tasks.image_text._losses import (
    TEMPERATURE,
    embedding_contrast_loss,
    embedding_mse_loss,
    image_text_loss,
    text_ce_loss,
    text_kl_loss,
)

VLM_OOD = "Li et al., VLM-OOD, ICCV 2023, and its released code"

register_preset(
    "vlm-ood",
    Preset(
        "text_ce + text_kl + embedding_mse + embedding_contrast",
        "text and image embeddings of a vision-language teacher (VLM-OOD)",
    ),
)


class _OfCosines(Term):
    """Base class of terms of cosines, which are divided by a temperature."""

    def __init__(self, context: LossContext, *, T: Positive = TEMPERATURE) -> None:  # noqa: N803
        super().__init__(context)
        self._temperature = T


class _OfClasses(_OfCosines):
    """Base class of terms that read the text embeddings of the classes."""

    def _texts(self, batch: TrainingBatch) -> Tensor:
        """Return the text embedding of every class (N, D) in the language of training.

        Raises:
            OptionError: there is no teacher that embeds texts.
        """
        texts: Tensor | None = next(iter(batch.targets.get("texts", {}).values()), None)
        if texts is None:
            raise OptionError(
                "the loss needs the text embeddings of the classes, which a teacher gives, but got "
                "no teacher: name one (--teacher)"
            )
        return texts


@register(
    Card(
        "text_ce",
        "cross-entropy of the cosines to the classes' text embeddings (L_cls)",
        f"{VLM_OOD}, L_cls",
        weight_source="released code",
        reads=("outputs", "labels", "text embeddings"),
        needs_teacher=False,
        least=None,
    )
)
class TextCE(_OfClasses):
    """[`text_ce_loss`][diswot.tasks.image_text.text_ce_loss] of the student's embeddings."""

    def forward(self, student: Activations, _teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss."""
        return text_ce_loss(
            student.output, self._texts(batch), batch.labels, temperature=self._temperature
        )


@register(
    Card(
        "text_kl",
        "divergence of the cosines to the teacher's nearest classes (L_vlalign)",
        f"{VLM_OOD}, L_vlalign",
        weight_source="released code",
        reads=("outputs", "labels", "text embeddings"),
    )
)
class TextKL(_OfClasses):
    """[`text_kl_loss`][diswot.tasks.image_text.text_kl_loss] of the `k` nearest classes."""

    def __init__(
        self,
        context: LossContext,
        *,
        k: Count = 256,
        filter: bool = True,  # noqa: A002  (name of the option)
        T: Positive = TEMPERATURE,  # noqa: N803
    ) -> None:
        super().__init__(context, T=T)
        self._nearest, self._filter = k, filter

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss."""
        return text_kl_loss(
            student.output,
            teacher.output,
            self._texts(batch),
            batch.labels if self._filter else None,
            nearest=self._nearest,
            temperature=self._temperature,
        )


@register(
    Card(
        "embedding_mse",
        "squared distance of the embeddings' directions (L_mse)",
        f"{VLM_OOD}, L_mse",
        weight_source="released code",
        reads=("outputs",),
    )
)
class EmbeddingMSE(Term):
    """[`embedding_mse_loss`][diswot.tasks.image_text.embedding_mse_loss] of the embeddings."""

    def __init__(self, context: LossContext, *, log: bool = False) -> None:
        super().__init__(context)
        self._log = log

    def forward(self, student: Activations, teacher: Activations, _batch: TrainingBatch) -> Tensor:
        """Return the loss."""
        return embedding_mse_loss(student.output, teacher.output, log=self._log)


@register(
    Card(
        "embedding_contrast",
        "contrast between the images of a batch in both directions (L_im-cst)",
        f"{VLM_OOD}, L_im-cst",
        weight_source="released code",
        reads=("outputs",),
        least=None,
    )
)
class EmbeddingContrast(_OfCosines):
    """[`embedding_contrast_loss`][diswot.tasks.image_text.embedding_contrast_loss]."""

    def forward(self, student: Activations, teacher: Activations, _batch: TrainingBatch) -> Tensor:
        """Return the loss."""
        return embedding_contrast_loss(
            student.output, teacher.output, temperature=self._temperature
        )


@register(
    Card(
        "image_text",
        "contrast between images and their captions, of dual encoders (CLIP)",
        "Radford et al., CLIP, ICML 2021, figure 3",
        weight_source="by convention",
        reads=("outputs", "labels"),
        needs_teacher=False,
        least=None,
    )
)
class ImageText(_OfCosines):
    """[`image_text_loss`][diswot.tasks.image_text.image_text_loss] of a dual encoder's output."""

    def forward(self, student: Activations, _teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss."""
        images, texts = student.output.chunk(2, dim=1)
        return image_text_loss(images, texts, batch.labels, temperature=self._temperature)
