"""The types around a term of a training loss: `Term`, `Card`, `LossContext`, `TrainingBatch`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, TypeAlias

from torch import Tensor, nn

from diswot.errors import NetworkError, OptionError
from diswot.networks import Activations
from diswot.networks.layout import Layout, Tap

Positive: TypeAlias = Annotated[float, "above 0"]
"""Type of an option that is a number above 0, such as a temperature."""

Count: TypeAlias = Annotated[int, "at least 1"]
"""Type of an option that is an integer of at least 1, such as the number of negatives."""

Share: TypeAlias = Annotated[float, "from 0 to 1"]
"""Type of an option that is a fraction from 0 to 1, such as of the training's steps."""

Paths: TypeAlias = str | Sequence[str] | None
"""Type of an option that names layers by dotted module paths; `None` chooses them."""


@dataclass(frozen=True, eq=False)
class TrainingBatch:
    """Everything that terms can read for the B examples of a step, except student outputs.

    Attributes:
        targets: training targets of the task; for classification, class probabilities (B, N),
            which are soft with label smoothing, MixUp or CutMix.
        labels: classes (B,); for a mixed image, the class of the larger part; empty if the task
            has no classes.
        indices: indices (B,) of the examples in the training split.
        progress: fraction of the training that is done, from 0 to 1.
        teachers: outputs of each teacher by name, without gradient.
    """

    targets: Any
    labels: Tensor
    indices: Tensor
    progress: float = 1.0
    teachers: Mapping[str, Activations] = field(default_factory=dict)

    def warmed_up(self, warmup: float) -> float:
        """Return the factor, from 0 to 1, of a loss with linear warm-up.

        Args:
            warmup: length of the warm-up as a fraction of the training.

        Examples:
            >>> import torch
            >>> none = torch.zeros(0)
            >>> TrainingBatch(none, none, none, progress=0.02).warmed_up(0.08)
            0.25
        """
        return 1.0 if self.progress >= warmup else self.progress / warmup


@dataclass(frozen=True)
class Card:
    """What a caller must know about a term.

    Attributes:
        name: name in expressions.
        summary: description in one line.
        source: paper and equation.
        weight: default weight, if an expression gives none.
        weight_source: source of the default weight.
        reads: what it reads from networks and data, by the names that tasks use: `logits`,
            `labels`, `features`, `feature maps`, `stages`, …
        needs_teacher: whether it reads the teacher's outputs.
        least: its minimum, which is reached if student and teacher outputs are equal; `None`
            if the value also depends on labels or trained parts.
    """

    name: str
    summary: str
    source: str
    weight: float = 1.0
    weight_source: str = "none"
    reads: tuple[str, ...] = ("logits",)
    needs_teacher: bool = True
    least: float | None = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.reads, str):
            raise OptionError(
                f"card of {self.name}: expected names such as ('logits', 'labels') as reads, but "
                f"got {self.reads!r}: give a tuple"
            )


@dataclass(frozen=True)
class LossContext:
    """What a term needs to know about the networks and data when it is built.

    Attributes:
        student: layout of the student: shapes of its outputs, and layers that can be read.
        teacher_layout: layout of the first teacher; `None` without a teacher.
        outputs: number of values that a network returns per example, such as classes.
        train_examples: size of the training split, the range of `TrainingBatch.indices`.
    """

    student: Layout
    teacher_layout: Layout | None
    outputs: int
    train_examples: int

    def check_features(self) -> None:
        """Make sure that both networks end in a linear classifier, whose input can be read.

        Raises:
            NetworkError: the output of a network is not that of a single linear layer.
        """
        for network in (self.student, self.teacher):
            if network.unread:
                raise NetworkError(network.unread)

    @property
    def teacher(self) -> Layout:
        """Layout of the teacher: shapes of its outputs, and layers that can be read.

        Raises:
            OptionError: there is no teacher.
        """
        if self.teacher_layout is None:
            raise OptionError("the loss needs a teacher, but got none: name one")
        return self.teacher_layout


class Term(nn.Module):
    """One term of a training loss.

    A subclass takes the `LossContext` and its options as keywords with defaults, and computes
    its loss in `forward`. It is found by name after
    [`register`][diswot.losses.register]. Its parameters are trained together with the student;
    parameters and buffers are part of checkpoints.

    Attributes:
        student_taps: layers of the student whose feature maps it reads, in addition to logits,
            features and the last feature map.
        teacher_taps: layers of the teacher whose feature maps it reads.
        reads_features: whether it reads features or the weight of the linear classifier, which
            both networks must then have.
    """

    reads_features: ClassVar[bool] = False
    student_taps: Sequence[Tap] = ()
    teacher_taps: Sequence[Tap] = ()

    def __init__(self, context: LossContext) -> None:
        super().__init__()
        if self.reads_features:
            context.check_features()

    @property
    def needs_preparation(self) -> bool:
        """Whether `prepare` must still be called; false afterwards, also in a loaded state."""
        return False

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the unweighted loss, a scalar tensor.

        Args:
            student: outputs of the student for B examples; gradients flow into them.
            teacher: outputs of the first teacher for the same examples, without gradient; may
                be `None` for a term whose card has `needs_teacher=False`.
            batch: targets and indices of the examples, and outputs of all teachers.
        """
        raise NotImplementedError

    def prepare(self, batches: Iterable[Activations]) -> None:
        """Train parts of the term on the teacher alone, before the student is trained.

        Args:
            batches: outputs of the teacher, batch by batch.
        """
