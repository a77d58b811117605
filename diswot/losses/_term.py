"""What a term of a training loss is: its card, what it is built for, what it reads."""

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
"""Type of an option that counts, such as how many negatives are drawn."""

Share: TypeAlias = Annotated[float, "from 0 to 1"]
"""Type of an option that is a share, such as of a training."""

Paths: TypeAlias = str | Sequence[str] | None
"""Type of an option that names taps: a dotted module path, or several; `None` chooses them."""


@dataclass(frozen=True, eq=False)
class TrainingBatch:
    """What is known of the B examples of a training step except what the student shows.

    Attributes:
        targets: what the task trains with; of classes their probabilities (B, N), which label
            smoothing and mixed images make others than 0 and 1.
        labels: (B,) classes; of mixed images that of the larger part; empty where the task
            has no classes.
        indices: (B,) places of the examples in the training split.
        progress: share of the training that is done, from 0 to 1.
        teachers: what each teacher shows of the examples, by name; no gradient flows into it.
    """

    targets: Any
    labels: Tensor
    indices: Tensor
    progress: float = 1.0
    teachers: Mapping[str, Activations] = field(default_factory=dict)

    def warmed_up(self, warmup: float) -> float:
        """Return the factor of a loss with linear warm-up over the first `warmup`.

        Examples:
            >>> import torch
            >>> none = torch.zeros(0)
            >>> TrainingBatch(none, none, none, progress=0.02).warmed_up(0.08)
            0.25
        """
        return 1.0 if self.progress >= warmup else self.progress / warmup


@dataclass(frozen=True)
class Card:
    """What a caller must know of a term.

    Attributes:
        name: what it is called in an expression.
        summary: one line.
        source: paper and equation.
        weight: by which it is multiplied where the expression has no number.
        weight_source: where that weight is from.
        reads: what it reads of networks and data, by the names that tasks have for what they
            give: `logits`, `labels`, `features`, `feature maps`, `stages`, …
        needs_teacher: whether it reads the teacher.
        least: its value where the student shows what the teacher shows, which is also
            its smallest; `None` where labels or trained parts decide.
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
    """What a term is built for.

    Attributes:
        student: what the student shows, and where.
        teacher_layout: outputs and feature maps of the first teacher; `None` without one.
        outputs: numbers that a network returns for one example.
        train_examples: examples of the training split, the range of `TrainingBatch.indices`.
    """

    student: Layout
    teacher_layout: Layout | None
    outputs: int
    train_examples: int

    def check_features(self) -> None:
        """Make sure that both networks have a classifier, whose features can be read.

        Raises:
            NetworkError: one returns something else than the output of one linear layer.
        """
        for network in (self.student, self.teacher):
            if network.unread:
                raise NetworkError(network.unread)

    @property
    def teacher(self) -> Layout:
        """What the teacher shows, and where.

        Raises:
            OptionError: there is no teacher.
        """
        if self.teacher_layout is None:
            raise OptionError("the loss needs a teacher, but got none: name one")
        return self.teacher_layout


class Term(nn.Module):
    """One term of a training loss.

    A subclass takes the `LossContext` and its options, by keyword and with defaults, and
    computes its loss in `forward`; it is found by name once it is registered with
    [`register`][diswot.losses.register]. Parameters that it makes are
    trained with the student, and saved with its buffers when a training stops.

    Attributes:
        student_taps: what it reads of the student in addition to logits, features and last map.
        teacher_taps: the same of the teacher.
        reads_features: whether it reads features or the classifier's weight, which networks
            must then have.
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
        """Whether `prepare` must be called; no longer once it was, or its state was loaded."""
        return False

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss, a number without dimensions, before it is weighted.

        Args:
            student: what the student shows of B examples; gradients flow into it.
            teacher: outputs of the first teacher for the same examples; no gradient flows into
                it; may be `None` for a term whose card says that it needs no teacher.
            batch: what else is known of the examples, and what further teachers show.
        """
        raise NotImplementedError

    def prepare(self, batches: Iterable[Activations]) -> None:
        """Train on the teacher alone; what is trained is kept as parameters or buffers.

        Args:
            batches: what the teacher shows, batch by batch.
        """
