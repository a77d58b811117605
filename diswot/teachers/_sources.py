"""Find the teachers of a task: built-in networks, libraries, and those of users."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from diswot.errors import OptionError, TeacherError, UnknownNameError
from diswot.networks.copies import copied
from diswot.references import is_reference, resolve
from diswot.teachers._checkpoint import checkpoint_path, loaded_notes
from diswot.teachers._teacher import Teacher
from diswot.teachers._user_teacher import called, given, taken

CALLABLE = "package.module:callable"


@dataclass(frozen=True)
class BuiltIn:
    """A built-in network.

    Attributes:
        summary: short description.
        make: makes the network with random weights. It is called with those arguments of the
            task that it has parameters for, such as `signature`.
    """

    summary: str
    make: Callable[..., nn.Module]

    def described(self) -> str:
        """Return a description in one line."""
        return self.summary


@dataclass(frozen=True)
class Library:
    """A library whose networks are named `library:place`, such as `timm:NAME`.

    Attributes:
        place: placeholder for the part after the colon in help texts, such as `NAME`.
        summary: description of the networks in one line.
        check: called with the place (and `pretrained` if it has this parameter) before data are
            read; raises an error if the network cannot be loaded.
        find: called with the place and those arguments of the task (and `pretrained`) that it
            has parameters for; returns the teacher.
        trained: called with the place; returns whether the network comes with weights for the
            task. A network without them is trained on the data first.
    """

    place: str
    summary: str
    check: Callable[..., object]
    find: Callable[..., Teacher]
    trained: Callable[[str], bool] = bool


@dataclass(frozen=True)
class TeacherSources(Container[str]):
    """The values of `--teacher` for a task, in addition to networks and callables of users.

    `name in sources` is true for built-in names and `library:place`, never for Python code.

    Attributes:
        built_in: built-in networks by name.
        libraries: libraries by prefix, the part before the colon.

    Examples:
        >>> sources = TeacherSources({"tiny": BuiltIn("one layer", partial(nn.Linear, 2, 1))})
        >>> "tiny" in sources, "package.module:callable" in sources
        (True, False)
        >>> sources.find("tiny").initialized(seed=0)
        Linear(in_features=2, out_features=1, bias=True)
    """

    built_in: Mapping[str, BuiltIn] = field(default_factory=dict)
    libraries: Mapping[str, Library] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self.built_in or self._library(name) is not None)

    def summaries(self) -> dict[str, str]:
        """Return descriptions of all names and other forms of teachers."""
        return {name: network.described() for name, network in self.built_in.items()} | self.forms()

    def forms(self) -> dict[str, str]:
        """Return descriptions of the forms of teachers other than built-in names."""
        libraries = {f"{name}:{one.place}": one.summary for name, one in self.libraries.items()}
        return {**libraries, CALLABLE: "a callable of your own that returns a torch.nn.Module"}

    def has_weights(
        self, teacher: str | nn.Module | Teacher, weights: str | Path | None = None
    ) -> bool:
        """Return whether a teacher comes with weights for the task, or is trained on the data.

        Args:
            teacher: a name, a reference such as `hf:FOLDER`, a network or a `Teacher`.
            weights: checkpoint to load.
        """
        if isinstance(teacher, Teacher):
            return teacher.weights is not None
        if weights is not None or not isinstance(teacher, str):
            return True
        if library := self._library(teacher):
            return library.trained(_place(teacher))
        return teacher not in self.built_in

    def check(
        self,
        teacher: str | nn.Module | Teacher,
        *,
        weights: str | Path | None = None,
        epochs: int | None = None,
        state: str | None = None,
    ) -> None:
        """Check a teacher before data are read.

        Args:
            teacher: a name, a reference such as `hf:FOLDER`, a network or a `Teacher`.
            weights: checkpoint to load.
            epochs: epochs of its training, if it has no weights.
            state: weights that scores use: `random` or `trained`.

        Raises:
            DiswotError: the teacher does not exist, cannot be downloaded, or an option does not
                apply to it.
        """
        self._check_exists(teacher, pretrained=weights is None)
        if weights is not None:
            checkpoint_path(weights)
        name = name_of(teacher)
        if self.has_weights(teacher, weights):
            if epochs is not None:
                raise OptionError(
                    f"--teacher-epochs {epochs} is for a teacher without weights, which is trained "
                    f"first, but {name} comes with weights: leave it out"
                )
        elif state == "trained":
            raise TeacherError(
                f"teacher {name} has no trained weights: give them with --teacher-weights"
            )

    def find(
        self,
        teacher: str | nn.Module | Teacher,
        offered: Mapping[str, Any] | None = None,
        *,
        weights: str | Path | None = None,
    ) -> Teacher:
        """Find a teacher.

        Args:
            teacher: a name, `library:place`, `package.module:callable`, or a network; the last
                two must already be trained. A `Teacher` is returned unchanged.
            offered: arguments for factories of networks by name, such as `signature`.
            weights: checkpoint (`.safetensors`, `.pt` or `.pth`) to load.

        Raises:
            UnknownNameError: no teacher has this name.
            TeacherError: it cannot be built or loaded.
            CheckpointError: the checkpoint is missing or damaged, contains code, or belongs to
                another network.
        """
        if isinstance(teacher, Teacher):
            return teacher
        result = self._found(teacher, offered or {}, pretrained=weights is None)
        if weights is None:
            return result
        network = result.initialized(0) if result.weights is None else result.weights()
        notes = loaded_notes(network, weights)
        return replace(result, weights=partial(copied, network), notes=(*result.notes, *notes))

    def _found(
        self, teacher: str | nn.Module, offered: Mapping[str, Any], *, pretrained: bool
    ) -> Teacher:
        if isinstance(teacher, str) and (library := self._library(teacher)):
            known = {"pretrained": pretrained, **offered}
            # `find` also checks; do not contact a server twice.
            return library.find(_place(teacher), **taken(library.find, known))
        self._check_exists(teacher, pretrained=pretrained)
        if isinstance(teacher, nn.Module):
            return given(teacher, name_of(teacher))
        if is_reference(teacher):
            return called(teacher, offered)
        make = self.built_in[teacher].make
        return Teacher(teacher, partial(make, **taken(make, offered)), None)

    def _library(self, name: str) -> Library | None:
        return self.libraries.get(name.partition(":")[0]) if is_reference(name) else None

    def _check_exists(self, teacher: object, *, pretrained: bool) -> None:
        """Check that a teacher's name or reference exists."""
        if not isinstance(teacher, str | nn.Module | Teacher):
            raise OptionError(
                f"Expected a teacher's name or a torch.nn.Module, but got {teacher!r}"
            )
        if not isinstance(teacher, str):
            return
        if library := self._library(teacher):
            library.check(_place(teacher), **taken(library.check, {"pretrained": pretrained}))
        elif is_reference(teacher):
            resolve(teacher, kind="teacher")
        elif teacher not in self.built_in:
            *others, last = self.forms()
            listed = f"{', '.join(others)} or {last}" if others else last
            raise UnknownNameError("teacher", teacher, self.built_in, also=f" (or give {listed})")


def name_of(teacher: str | nn.Module | Teacher) -> str:
    """Return the name of a teacher in messages: its name, or its class."""
    if isinstance(teacher, str):
        return teacher
    return teacher.name if isinstance(teacher, Teacher) else type(teacher).__name__


def _place(name: str) -> str:
    return name.partition(":")[2]
