"""Options of scores and searches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypedDict, get_args

from diswot.options._option import Option
from diswot.options._shared import (
    MOST_EPOCHS,
    MOST_IMAGES,
    DataRoot,
    Device,
    Seed,
    TaskName,
    TeacherClasses,
    TeacherWeights,
)

Combination: TypeAlias = Literal["sum", "rank", "standard", "logrank"]
"""How several terms are combined to one score."""

COMBINATIONS: tuple[Combination, ...] = get_args(Combination)

TeacherState: TypeAlias = Literal["random", "trained"]
"""Weights of the teacher in scores."""

TEACHER_STATES: tuple[TeacherState, ...] = get_args(TeacherState)

DEFAULT_SCORER = "student_fit"
"""The default scorer."""

EAGER, ONNX, COMPILED = "eager", "onnx", "torch-compile"

RUNTIMES = {EAGER: "eager PyTorch", ONNX: "onnxruntime", COMPILED: "torch.compile"}
"""Runtimes in which latencies can be measured, with their descriptions."""

MEASURED = "measured"
"""Former name of the runtime `eager`."""

MOST_CANDIDATES = 1_000_000
MOST_REPEATS = 10_000
MOST_SIDE = 4_096
MOST_THREADS = 1_024


STREAM_ABOVE = 8.0
"""Default size of decoded images, in GiB, above which they are streamed."""


class DataOptions(TypedDict, total=False):
    """Options of data that all functions declare; a task accepts those that it declares too."""

    image_size: Annotated[
        int | None,
        Option(
            "Image size of a folder of images: height and width in pixels; by default inferred.",
            least=1,
            most=MOST_SIDE,
            group="Task",
        ),
    ]
    stream_above: Annotated[
        float | None,
        Option(
            f"GiB of decoded images above which a folder is streamed: decoded in every step "
            f"instead of once into a file; by default {STREAM_ABOVE:g}.",
            least=0,
            group="Task",
        ),
    ]


class ScoringOptions(DataOptions, total=False):
    """Options of both `search` and `score`."""

    task: TaskName
    data: Annotated[
        Any,
        Option(
            "A name of `diswot list datasets`, or a folder; or package.module:callable. By "
            "default the task's.",
            group="Task",
            essential=True,
        ),
    ]
    data_root: DataRoot
    scorer: Annotated[
        Any,
        Option(
            "A name of `diswot list scorers`; several joined with +, logrank(a,b,…), or "
            "package.module:callable.",
            default=DEFAULT_SCORER,
            group="Search",
            essential=True,
        ),
    ]
    combination: Annotated[
        Combination | None,
        Option(
            "How the terms of a scorer are combined; by default as its card specifies.",
            choices=COMBINATIONS,
            group="Search",
        ),
    ]
    repeats: Annotated[
        int | None,
        Option(
            "Initializations and batches per score; by default as many as the scorer needs.",
            least=1,
            most=MOST_REPEATS,
            group="Search",
        ),
    ]
    batch_size: Annotated[
        int | None,
        Option(
            "Examples per scored batch; by default as many as the scorer needs.",
            least=2,
            most=MOST_IMAGES,
            group="Search",
        ),
    ]
    teacher_state: Annotated[
        TeacherState | None,
        Option(
            "Weights of the teacher that scores use: random or trained; by default the ones that "
            "the scorer is made for.",
            choices=TEACHER_STATES,
            group="Task",
        ),
    ]
    teacher_weights: TeacherWeights
    teacher_classes: TeacherClasses
    seed: Seed
    device: Device
    threads: Annotated[
        int,
        Option(
            "Threads for each score and for measured latencies. Another number changes the last "
            "digits of scores.",
            default=1,
            least=1,
            most=MOST_THREADS,
            group="Search",
        ),
    ]


class SearchOptions(ScoringOptions, total=False):
    """Options of both `search` and `run`."""

    engine: Annotated[
        str,
        Option(
            "Search algorithm: evolution, nsga2, regularized, random, exhaustive, or "
            "the name of an engine of an installed package.",
            default="evolution",
            group="Search",
            essential=True,
        ),
    ]
    population: Annotated[
        int,
        Option(
            "Candidates per generation.",
            default=20,
            least=1,
            most=MOST_CANDIDATES,
            group="Search",
            essential=True,
        ),
    ]
    generations: Annotated[
        int,
        Option(
            "Generations after the first, which is random.",
            default=10,
            least=0,
            most=MOST_CANDIDATES,
            group="Search",
            essential=True,
        ),
    ]
    objectives: Annotated[
        Sequence[str] | None,
        Option(
            "Objectives of nsga2: score and any of params, macs, latency_ms, memory; "
            "by default score,params.",
            group="Search",
        ),
    ]
    latency: Annotated[
        str | None,
        Option(
            "Source of latencies: measured here in `eager`, `onnx` or `torch-compile`; a table "
            "(.csv); or a file of `diswot latency calibrate` (.json). By default, where "
            "latencies are needed, measured in `onnx` if it is installed.",
            group="Budget",
        ),
    ]
    latency_column: Annotated[
        str | None, Option("Column of milliseconds in the latency table.", group="Budget")
    ]
    trainings: Annotated[
        int | None,
        Option(
            "Candidates to train briefly; their results and the score rank all.",
            least=0,
            most=MOST_CANDIDATES,
            group="Search",
        ),
    ]
    training_epochs: Annotated[
        int | None,
        Option(
            "Epochs of a short training; by default a fifth of a full training.",
            least=1,
            most=MOST_EPOCHS,
            group="Search",
        ),
    ]
    train_budget: Annotated[
        str | None,
        Option(
            "Budget in full trainings or minutes, e.g. 6x or 10min: half for short ones, half for "
            "successive halving.",
            group="Search",
        ),
    ]
    workers: Annotated[
        int,
        Option(
            "Worker processes; by default one per core, at most eight.",
            default=1,
            least=1,
            group="Search",
            essential=True,
        ),
    ]
    cluster: Annotated[
        str | None,
        Option(
            "Address of a Dask scheduler (tcp://host:8786), whose workers evaluate.",
            group="Search",
        ),
    ]


class ResumeOptions(TypedDict, total=False):
    """Options of `resume`: those that may change, and Python code that must be named again."""

    task: Annotated[
        str | None, Option("Required again if it is your own code.", group="Task", essential=True)
    ]
    generations: Annotated[
        int | None,
        Option(
            "Extend the search to this number of generations.",
            least=0,
            most=MOST_CANDIDATES,
            group="Search",
            essential=True,
        ),
    ]
    teacher: Annotated[Any, Option("Required again if it is your own code.")]
    teacher_weights: Annotated[
        str | Path | None,
        Option("New path of the checkpoint, if it was moved.", group="Task", essential=True),
    ]
    space: Annotated[Any, Option("Required again if it is your own code.", group="Search")]
    data: Annotated[
        Any,
        Option("New path of a folder of images, if it was moved.", group="Task", essential=True),
    ]
    image_size: Annotated[
        int | None,
        Option("Image size of a folder: height and width.", least=1, most=MOST_SIDE, group="Task"),
    ]
    data_root: Annotated[
        str | Path | None, Option("Folder of datasets; also set by DISWOT_DATA.", group="Task")
    ]
    scorer: Annotated[
        Any, Option("Required again if it is your own code.", group="Search", essential=True)
    ]
    device: Annotated[str | None, Option("Device; by default the same as before.", essential=True)]
    workers: Annotated[
        int,
        Option(
            "Worker processes; the result is the same.",
            default=1,
            least=1,
            group="Search",
            essential=True,
        ),
    ]
    cluster: Annotated[
        str | None, Option("Address of a Dask scheduler, whose workers evaluate.", group="Search")
    ]
