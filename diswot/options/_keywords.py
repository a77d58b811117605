"""Check the keyword arguments of public functions, and suggest the nearest option."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeAlias, TypeVar, get_args

from diswot.errors import UnknownOptionError
from diswot.guard import check_guard
from diswot.options._option import Declared, declared

_C = TypeVar("_C", bound=Callable[..., Any])

_BUDGET = "budget=diswot.Budget({}=…)"

_MEANT: dict[str, tuple[str, ...]] = {
    "aug": ("augment",),
    "augmentation": ("augment",),
    "accumulate": ("gradient_accumulation",),
    "accumulation_steps": ("gradient_accumulation",),
    "amp": ("precision",),
    "arch": ("archs", "architectures"),
    "batch": ("batch_size", "train_batch_size"),
    "batch_size": ("train_batch_size",),
    "checkpoint": ("teacher_weights", "out"),
    "clip": ("max_grad_norm",),
    "clip_grad": ("max_grad_norm",),
    "criterion": ("loss", "scorer"),
    "dataset": ("data",),
    "decay": ("weight_decay",),
    "dir": ("out",),
    "dtype": ("precision",),
    "ema_decay": ("ema",),
    "folder": ("out", "run"),
    "grad_accum": ("gradient_accumulation",),
    "gradient_clipping": ("max_grad_norm",),
    "img_size": ("image_size",),
    "iterations": ("generations",),
    "jobs": ("workers",),
    "latency_ms": (_BUDGET.format("latency_ms"),),
    "losses": ("loss",),
    "lr": ("learning_rate",),
    "lr_scheduler": ("schedule",),
    "macs": (_BUDGET.format("macs"),),
    "max_latency_ms": (_BUDGET.format("latency_ms"),),
    "max_macs": (_BUDGET.format("macs"),),
    "max_memory": (_BUDGET.format("memory"),),
    "max_norm": ("max_grad_norm",),
    "max_params": (_BUDGET.format("params"), "params"),
    "memory": (_BUDGET.format("memory"),),
    "metric": ("scorer",),
    "mixed_precision": ("precision",),
    "model": ("student", "network", "teacher"),
    "n_jobs": ("workers",),
    "num_epochs": ("epochs",),
    "num_workers": ("workers",),
    "objective": ("objectives", "loss"),
    "optim": ("optimizer",),
    "optimiser": ("optimizer",),
    "output": ("out",),
    "output_dir": ("out",),
    "params": (_BUDGET.format("params"),),
    "path": ("out", "run"),
    "proxy": ("scorer",),
    "pictures": ("plots",),
    "pop_size": ("population",),
    "random_state": ("seed",),
    "root": ("data_root",),
    "scheduler": ("schedule",),
    "search_space": ("space",),
    "size": ("image_size",),
    "smoothing": ("label_smoothing",),
    "verbose": ("progress",),
    "warmup": ("warmup_epochs",),
    "wd": ("weight_decay",),
    "weights": ("teacher_weights",),
}
"""Names of options in other libraries → options here, the most likely first."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known option that is most likely meant by `name`, or `None`.

    Examples:
        >>> nearest("lr", ["seed", "learning_rate"]), nearest("populaton", ["seed", "population"])
        ('learning_rate', 'population')
        >>> nearest("pop", ["population", "teacher"])
        'population'
    """
    names = sorted(known)
    for meant in _MEANT.get(name, ()):
        if meant in names or (meant.startswith("budget=") and "budget" in names):
            return meant
    longer = [known for known in names if len(name) > 2 and name.lower() in known]
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    return next(iter((*close, *longer)), None)


Own: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Declared]]
"""(given keywords) → further options that a function accepts, for example of a task."""


def takes_options(target: _C, *, own: Own = lambda _: {}) -> _C:
    """Make a function or class reject unknown keywords, and check its declared options.

    Declared options are those of the `TypedDict` in `**options: Unpack[Kind]`.

    Args:
        target: the function or class.
        own: returns further accepted options if there are unknown keywords.

    Raises:
        TypeError: at decoration: the function accepts any keywords.

    Examples:
        >>> @takes_options
        ... def train(network, *, learning_rate=0.1):
        ...     return learning_rate
        >>> train(None, lr=1)
        Traceback (most recent call last):
        diswot.errors.UnknownOptionError: unknown option 'lr': did you mean 'learning_rate'?
    """
    if isinstance(target, type):
        checked = _checking(target.__init__, skip=1, own=own)  # type: ignore[misc]
        type.__setattr__(target, "__init__", checked)
        return target
    return _checking(target, own=own)


def _checking(function: _C, *, skip: int = 0, own: Own) -> _C:
    parameters = list(inspect.signature(function).parameters.values())[skip:]
    known = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    rest = next((p.annotation for p in parameters if p.kind is p.VAR_KEYWORD), None)
    options = declared(get_args(rest)[0]) if get_args(rest) else {}
    if rest is not None and not options:
        raise TypeError(f"{function.__qualname__} takes any keywords: declare them with Unpack")
    known |= set(options)

    @wraps(function)
    def call(*args: Any, **given: Any) -> Any:
        if given.get("workers") not in (None, 1):
            check_guard()
        more = {} if known.issuperset(given) else own(given)
        for name, value in given.items():
            if name in more and name not in known:
                given[name] = None if value is None else more[name].checked(value)
            elif name not in known:
                raise _unknown(name, known.union(more))
            elif name in options:
                given[name] = options[name].checked(value)
        return function(*args, **given)

    return call  # type: ignore[return-value]


def _unknown(name: str, known: Iterable[str]) -> UnknownOptionError:
    near = nearest(name, known)
    guess = f"there are {', '.join(sorted(known))}"
    if near is not None:
        guess = f"did you mean {near if '=' in near else repr(near)}?"
    return UnknownOptionError(f"unknown option {name!r}: {guess}")
