"""A training loss: the parsed expression, from which a criterion is built for two networks."""

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
    """A named loss expression.

    Attributes:
        expression: the loss, such as `0.1*ce + 0.9*kd(T=4)`.
        summary: description in one line.
    """

    expression: str
    summary: str


PRESETS = {
    "alone": Preset("ce", "cross-entropy with the labels"),
    "diswot": Preset("0.1*ce + 0.9*kd(T=4)", "cross-entropy and KL divergence, as in the paper"),
    "diswot-dagger": Preset(
        "0.1*ce + 0.9*kd(T=4) + 1*semantic + 1*relation",
        "the same plus both similarity losses (DisWOT†)",
    ),
}
"""Loss expressions by name; tasks add their own."""


def register_preset(name: str, preset: Preset) -> None:
    """Register a name for a loss expression.

    Args:
        name: letters, digits and hyphens.
        preset: the expression and its summary.

    Raises:
        OptionError: the name is already used for another expression.
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
        text: the expression or name as written, in one line.
        parts: the parsed terms.
    """

    text: str
    parts: tuple[WeightedTerm, ...]

    @property
    def needs_teacher(self) -> bool:
        """Whether any term reads the teacher."""
        return any(part.kind.card.needs_teacher for part in self.parts)

    @property
    def reads(self) -> frozenset[str]:
        """Names of everything that any term reads from networks and data, such as "logits"."""
        return frozenset(name for part in self.parts for name in part.kind.card.reads)

    def check_reads(self, given: Collection[str], *, task: str) -> None:
        """Make sure that a task provides everything that the loss reads.

        Args:
            given: names of what networks and data of the task provide.
            task: name of the task, for the message.

        Raises:
            OptionError: something is missing; the message names it and the term.
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
        """Build the criterion for two networks, on the device of the inputs.

        Runs one forward pass of each to find the shapes of their layers' outputs; the state of
        the networks does not change.

        Args:
            student: the network to train.
            teacher: the first teacher; `None` if no term needs one.
            *inputs: example inputs of the networks, each (B ≥ 2, …), on their device.
            outputs: number of values that a network returns per example, such as classes.
            train_examples: size of the training split.
            seed: seed of the initial weights of trainable parts of the loss.

        Raises:
            OptionError: a term needs a teacher and there is none, or an option does not fit
                the networks.
            NetworkError: a named layer does not exist; the message names some that do.
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
    """Return the error to raise if a loss needs a teacher and there is none."""
    return OptionError(f"the loss {loss} needs a teacher, but got none: name one")


def parse_objective(text: str) -> Objective:
    """Parse a loss expression, or look up a preset by name.

    Args:
        text: a preset such as `diswot`, or an expression such as `ce + 0.9*kd(T=4) + 100*at`.
            A term without a weight has the weight of its card (`diswot list losses`). Your own
            terms are registered, or written as `package.module:callable`.

    Raises:
        OptionError: the expression is invalid, or an option does not fit; a caret marks where.
        UnknownNameError: no loss or term has this name.

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
