"""A training loss: an expression, and the criterion that is built from it."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from torch import Tensor, nn

from diswot.errors import OptionError, UnknownNameError
from diswot.losses._criterion import Criterion
from diswot.losses._expression import WeightedTerm, parse, pointed
from diswot.losses._registry import terms
from diswot.losses._term import LossContext, Term
from diswot.networks.layout import layout
from diswot.seeding import torch_seed


@dataclass(frozen=True)
class Preset:
    """An expression that has a name.

    Attributes:
        expression: what the name stands for.
        summary: one line.
    """

    expression: str
    summary: str


PRESETS = {
    "alone": Preset("ce", "cross-entropy with the labels"),
    "diswot": Preset("0.1*ce + 0.9*kd(T=4)", "CE+KL of the DisWOT paper"),
    "diswot-dagger": Preset(
        "0.1*ce + 0.9*kd(T=4) + 1*semantic + 1*relation",
        "CE+KL plus both similarity losses (DisWOT†)",
    ),
}
"""Names that stand for whole expressions; tasks add theirs."""


def register_preset(name: str, preset: Preset) -> None:
    """Make a name stand for an expression wherever a loss is named.

    Args:
        name: of letters, digits and hyphens.
        preset: what it stands for.

    Raises:
        OptionError: it stands for another expression.
    """
    if PRESETS.get(name, preset) != preset:
        raise OptionError(
            f"the loss {name} stands for {PRESETS[name].expression} already: choose another name"
        )
    PRESETS[name] = preset


@dataclass(frozen=True)
class Objective:
    """A training loss before it is built for two networks.

    Attributes:
        text: as it was written, in one line.
        parts: its terms.
    """

    text: str
    parts: tuple[WeightedTerm, ...]

    @property
    def needs_teacher(self) -> bool:
        """Whether any term reads the teacher."""
        return any(part.kind.card.needs_teacher for part in self.parts)

    @property
    def reads(self) -> frozenset[str]:
        """What any term reads of networks and data."""
        return frozenset(name for part in self.parts for name in part.kind.card.reads)

    def check_reads(self, given: Collection[str], *, task: str) -> None:
        """Make sure that a task gives all that the loss reads.

        Args:
            given: what the task gives, by name.
            task: its name.

        Raises:
            OptionError: a term reads something else; names it.
        """
        for part in self.parts:
            missing = [name for name in part.kind.card.reads if name not in given]
            if missing:
                raise OptionError(
                    f"the loss {part.name} reads {' and '.join(missing)}, but the task {task} "
                    f"gives {', '.join(sorted(given))}: choose another loss (diswot list losses)"
                )

    def build(
        self,
        student: nn.Module,
        teacher: nn.Module | None,
        *inputs: Tensor,
        outputs: int,
        train_examples: int,
        seed: int = 0,
    ) -> Criterion:
        """Return the loss for these networks, on the device of `images`.

        Runs one pass of each to learn where they show what; both are as before afterwards.

        Args:
            student: what is trained.
            teacher: the first teacher, where a term reads one.
            *inputs: what networks are called with, each (B ≥ 2, …), on their device.
            outputs: numbers that a network returns for one example.
            train_examples: examples of the training split.
            seed: of what trained parts of the loss begin with.

        Raises:
            OptionError: a term needs a teacher and there is none; an option does not fit
                the networks.
            NetworkError: a tap does not exist; names some that do.
        """
        if self.needs_teacher and teacher is None:
            raise needs_a_teacher(self.text)
        context = LossContext(
            layout(student, *inputs, who="the student"),
            None if teacher is None else layout(teacher, *inputs, who="the teacher"),
            outputs,
            train_examples,
        )
        with torch_seed(seed):
            built = {part.name: self._term(part, context) for part in self.parts}
        criterion = Criterion(built, [part.weight for part in self.parts])
        return criterion.to(inputs[0].device)

    def _term(self, part: WeightedTerm, context: LossContext) -> Term:
        try:
            return part.kind.make(context, **part.options)
        except OptionError as error:
            written = PRESETS[self.text].expression if self.text in PRESETS else self.text
            raise OptionError(f"{error}{pointed(written, part.place)}") from error


def needs_a_teacher(loss: str) -> OptionError:
    """Return what to raise where a loss reads a teacher and there is none."""
    return OptionError(f"the loss {loss} needs a teacher, but got none: name one")


def parse_objective(text: str) -> Objective:
    """Return the loss that an expression, or the name of a preset, stands for.

    Args:
        text: such as `ce + 0.9*kd(T=4) + 100*at`. A term without a number before it has
            the weight of its card; `diswot list losses` shows them. A term of one's own is
            registered, or named as `package.module:callable`.

    Raises:
        OptionError: it does not parse, or an option does not fit; a caret shows where.
        UnknownNameError: no loss has that name.

    Examples:
        >>> parse_objective("ce + 0.9*kd(T=4)").needs_teacher
        True
        >>> parse_objective("ce + kd(T=0)")
        Traceback (most recent call last):
        diswot.errors.OptionError: loss: kd takes a number above 0 as T
          ce + kd(T=0)
                    ^
    """
    text = " ".join(text.split())
    if not text:
        raise OptionError(
            "loss: expected a name or an expression such as ce + 0.9*kd(T=4), but got nothing: "
            "diswot list losses names them"
        )
    if text in PRESETS:
        return Objective(text, parse(PRESETS[text].expression))
    if re.fullmatch(r"[^\W\d][\w-]*", text) and text not in terms():
        raise UnknownNameError("loss", text, {*PRESETS, *terms()})
    parts = parse(text)
    if not any(part.weight for part in parts):
        raise OptionError(f"loss: every weight of {text} is 0, so that nothing would be learned")
    return Objective(text, parts)
