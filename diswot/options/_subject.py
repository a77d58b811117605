"""Options of commands that are positional arguments of Python functions."""

from typing import Annotated, Any, TypedDict

from diswot.options._option import Option


class SubjectOptions(TypedDict, total=False):
    """Teacher and search space, which are positional arguments of Python functions."""

    teacher: Annotated[
        Any,
        Option(
            "A name of `diswot list teachers`; or hf:FOLDER, timm:NAME, torchvision:NAME, "
            "package.module:callable. By default the task's.",
            group="Task",
            essential=True,
        ),
    ]
    space: Annotated[
        Any,
        Option(
            "A name of `diswot list spaces`; or package.module:Class. By default the task's.",
            group="Task",
            essential=True,
        ),
    ]


class BudgetOptions(TypedDict, total=False):
    """The limits of a [`Budget`][diswot.search.Budget], as options of commands."""

    max_params: Annotated[
        int | None,
        Option("Maximum number of parameters, e.g. 300k.", least=1, group="Budget", essential=True),
    ]
    max_macs: Annotated[
        int | None,
        Option(
            "Maximum multiply-adds of one input, e.g. 20M.", least=1, group="Budget", essential=True
        ),
    ]
    max_latency_ms: Annotated[
        float | None,
        Option(
            "Maximum milliseconds of one forward pass.", above=0, group="Budget", essential=True
        ),
    ]
    max_memory: Annotated[
        int | None,
        Option(
            "Maximum bytes of activations of one input.",
            least=1,
            group="Budget",
            essential=True,
        ),
    ]
