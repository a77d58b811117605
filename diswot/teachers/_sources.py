"""Where the teachers of a task come from: built-in networks, libraries, and the user's own."""

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
from diswot.teachers._given import called, given, taken
from diswot.teachers._teacher import Teacher

CALLABLE = "package.module:callable"


@dataclass(frozen=True)
class BuiltIn:
    """A network with a name.

    Attributes:
        summary: what it is, in a few words.
        make: makes it at random initialization, called with those of the arguments that a task
            offers that it takes: `signature`, and what else is of the task.
    """

    summary: str
    make: Callable[..., nn.Module]

    def described(self) -> str:
        """Return one line for people."""
        return self.summary


@dataclass(frozen=True)
class Library:
    """Networks that are named `library:place`.

    Attributes:
        place: what stands after the colon, such as `NAME`.
        summary: what the networks are, in one line.
        check: called with the place, and `pretrained` if it takes that, raises what is wrong
            before there are data.
        find: called with the place, and what it takes of `pretrained` and the arguments that
            the task offers, returns the teacher.
    """

    place: str
    summary: str
    check: Callable[..., object]
    find: Callable[..., Teacher]


@dataclass(frozen=True)
class TeacherSources(Container[str]):
    """What `--teacher` can be for a task, in addition to networks and callables of the user's.

    A name is in it where it stands for a built-in network or one of a library, and so never
    for code.

    Attributes:
        built_in: networks by name.
        libraries: where others come from, by what stands before the colon.

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
        """Return one line for each name and form of a teacher."""
        return {name: network.described() for name, network in self.built_in.items()} | self.forms()

    def forms(self) -> dict[str, str]:
        """Return what a teacher can be other than a built-in name, with a line each."""
        libraries = {f"{name}:{one.place}": one.summary for name, one in self.libraries.items()}
        return {**libraries, CALLABLE: "a callable of your own that returns a torch.nn.Module"}

    def has_weights(
        self, teacher: str | nn.Module | Teacher, weights: str | Path | None = None
    ) -> bool:
        """Return whether a teacher comes with weights: all but built-in ones without a checkpoint.

        Args:
            teacher: a name, a reference such as `hf:FOLDER`, a network or a teacher.
            weights: a checkpoint to load into it.
        """
        if isinstance(teacher, Teacher):
            return teacher.weights is not None
        built_in = isinstance(teacher, str) and teacher in self.built_in
        return weights is not None or not built_in

    def check(
        self,
        teacher: str | nn.Module | Teacher,
        *,
        weights: str | Path | None = None,
        epochs: int | None = None,
        state: str | None = None,
    ) -> None:
        """Check a teacher before there are data for it.

        Args:
            teacher: a name, a reference such as `hf:FOLDER`, a network or a teacher.
            weights: a checkpoint to load into it.
            epochs: how long it is to be trained.
            state: `random` or `trained`, as scores are to see it.

        Raises:
            DiswotError: it does not exist, cannot be had, or an option means nothing for it.
        """
        self._check_exists(teacher, pretrained=weights is None)
        if weights is not None:
            checkpoint_path(weights)
        name = name_of(teacher)
        if self.has_weights(teacher, weights):
            if epochs is not None:
                raise OptionError(
                    f"--teacher-epochs {epochs} is of a built-in teacher without weights, "
                    f"which is trained first, but {name} comes with weights: leave it out"
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
        """Return the teacher that is meant.

        Args:
            teacher: a name; `package.module:callable`; or a network. The last two are taken to
                be trained as they come. A `Teacher` is returned as it is.
            offered: arguments by name for what makes a network, such as `signature`.
            weights: a checkpoint (`.safetensors`, `.pt` or `.pth`) to load into it.

        Raises:
            UnknownNameError: no teacher has that name.
            TeacherError: it cannot be built or loaded.
            CheckpointError: the checkpoint is missing, damaged, hostile or of another network.
        """
        if isinstance(teacher, Teacher):
            return teacher
        found = self._found(teacher, offered or {}, pretrained=weights is None)
        if weights is None:
            return found
        network = found.initialized(0) if found.weights is None else found.weights()
        notes = loaded_notes(network, weights)
        return replace(found, weights=partial(copied, network), notes=(*found.notes, *notes))

    def _found(
        self, teacher: str | nn.Module, offered: Mapping[str, Any], *, pretrained: bool
    ) -> Teacher:
        if isinstance(teacher, str) and (library := self._library(teacher)):
            known = {"pretrained": pretrained, **offered}
            # what finds it has checked it: a server is asked once
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
        """Check a teacher's name."""
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
    """Return what messages call a teacher: its name, or its class."""
    if isinstance(teacher, str):
        return teacher
    return teacher.name if isinstance(teacher, Teacher) else type(teacher).__name__


def _place(name: str) -> str:
    return name.partition(":")[2]
