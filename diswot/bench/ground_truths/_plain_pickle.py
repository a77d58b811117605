"""A safe unpickler: containers, strings and numbers only; no code of the file is executed."""

import pickle
import re
from collections.abc import Callable
from typing import IO, Any, ClassVar

import numpy as np

ADMITTED = """
    PROTO FRAME STOP MARK POP POP_MARK NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG1 LONG4
    FLOAT BINFLOAT UNICODE BINUNICODE SHORT_BINUNICODE BINBYTES SHORT_BINBYTES EMPTY_TUPLE TUPLE
    TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS EMPTY_SET ADDITEMS
    BINGET LONG_BINGET BINPUT LONG_BINPUT MEMOIZE GLOBAL STACK_GLOBAL REDUCE BUILD BINPERSID
"""
"""Permitted opcodes of pickles; those that instantiate classes are not among them."""


class DType:
    """Replacement of `numpy.dtype`: kind and size, and the byte order."""

    def __init__(self, code: str, *_: Any) -> None:
        if not isinstance(code, str) or not re.fullmatch(r"[fiub][1248]", code):
            raise pickle.UnpicklingError(f"expected a type of numbers, but got {code!r:.40}")
        self.code = code
        self.order = "<"


def _number(dtype: DType, content: bytes) -> float:
    """Replace `numpy.core.multiarray.scalar`."""
    plain = np.dtype(dtype.order + dtype.code)
    number: float = np.frombuffer(content, dtype=plain, count=1)[0].item()
    return number


def _bytes(text: str, encoding: str) -> bytes:
    """Replace `codecs.encode`, with which pickle protocol 2 stores bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"expected bytes as latin1, but got {encoding!r:.40}")
    return text.encode("latin1")


def _unread(*_: Any) -> None:
    """Replace the functions that rebuild tensors: weights are not read."""


_NAMES: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): dict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("numpy", "dtype"): DType,
    ("numpy.core.multiarray", "scalar"): _number,
    ("numpy._core.multiarray", "scalar"): _number,
    ("_codecs", "encode"): _bytes,
    ("torch._utils", "_rebuild_tensor_v2"): _unread,
}


def is_permanent(value: Any) -> bool:
    """Return whether a value is a type or function, which all entries share by the memo."""
    return isinstance(value, DType) or callable(value)


class _Memo(dict[int, Any]):
    """A pickle memo whose non-permanent values are dropped by `forget`, to limit memory."""

    def __init__(self, permanent: Callable[[Any], bool]) -> None:
        super().__init__()
        self._permanent = permanent
        self._passing: dict[int, Any] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count  # the next free number, by which MEMOIZE goes

    def __setitem__(self, number: int, value: Any) -> None:
        self._count += 1
        if self._permanent(value):
            super().__setitem__(number, value)
        else:
            self._passing[number] = value

    def __missing__(self, number: int) -> Any:
        return self._passing[number]

    def forget(self) -> None:
        """Drop all values that are not permanent."""
        self._passing.clear()


def _followed() -> dict[int, Callable[[Any], None]]:
    codes = (getattr(pickle, name)[0] for name in ADMITTED.split())
    return {code: pickle._Unpickler.dispatch[code] for code in codes}


class PlainUnpickler(pickle._Unpickler):
    """Unpickler of plain values that passes each dictionary to a callback when complete.

    Classes and functions of the file are neither imported nor called: a few names are replaced
    by functions of this module, and any other name raises. The C implementation of pickle
    would be faster, but has no callbacks before the whole file is read.

    Args:
        file: binary file; after `load` its position is after the pickle.
        replaced: called with each complete dictionary; if it returns a value other than
            `None`, the dictionary is replaced by `{None: value}` and the memo is emptied of
            values that are not permanent.
        permanent: whether the file may refer to a value after that.
    """

    stack: list[Any]

    def __init__(
        self,
        file: IO[bytes],
        *,
        replaced: Callable[[dict[Any, Any]], Any] = lambda _: None,
        permanent: Callable[[Any], bool] = lambda _: True,
    ) -> None:
        super().__init__(file)
        self.memo = _Memo(permanent)
        self._replaced = replaced

    def find_class(self, module: str, name: str) -> Any:
        """Return the replacement of a class or function; raise for any other."""
        if module in ("torch", "torch.storage") and name.endswith("Storage"):
            return _unread
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f"it asks to run {module}.{name}")
        return _NAMES[module, name]

    def persistent_load(self, pid: Any) -> Any:  # noqa: ARG002
        """Return `None` for the storage of a tensor."""
        return None

    def load_setitems(self) -> None:
        """Execute SETITEMS, and pass the dictionary to `replaced`."""
        super().load_setitems()  # type: ignore[misc]
        whole = self.stack[-1]
        value = self._replaced(whole) if type(whole) is dict else None
        if value is not None:
            whole.clear()
            whole[None] = value
            self.memo.forget()

    def load_build(self) -> None:
        """Execute BUILD: set the byte order of a numpy dtype; ignore other objects' state."""
        state = self.stack.pop()
        if isinstance(self.stack[-1], DType):
            if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|"):
                raise pickle.UnpicklingError("expected the state of a numpy type")
            self.stack[-1].order = state[1]

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **_followed(),
        pickle.SETITEMS[0]: load_setitems,
        pickle.BUILD[0]: load_build,
    }
