"""What can be chosen of scores and searches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypedDict, get_args

from diswot.options._option import Option
from diswot.options._shared import (
    MOST_IMAGES,
    DataRoot,
    Device,
    Seed,
    TaskName,
    TeacherClasses,
    TeacherWeights,
)

Combination: TypeAlias = Literal["sum", "rank", "standard", "logrank"]
"""How several terms become one score."""

COMBINATIONS: tuple[Combination, ...] = get_args(Combination)

TeacherState: TypeAlias = Literal["random", "trained"]
"""The weights that scores see the teacher with."""

TEACHER_STATES: tuple[TeacherState, ...] = get_args(TeacherState)

ENGINES = ("evolution", "nsga2", "regularised", "random", "exhaustive")
"""How candidates can be proposed."""

DEFAULT_SCORER = "student_fit"
"""What candidates are scored by where nothing else is asked for."""

EAGER, ONNX, COMPILED = "eager", "onnx", "torch-compile"

RUNTIMES = {EAGER: "eager PyTorch", ONNX: "onnxruntime", COMPILED: "torch.compile"}
"""The forms in which latency can be measured, and what runs each."""

MEASURED = "measured"
"""The former name of the form `eager`."""

MOST_CANDIDATES = 1_000_000
MOST_REPEATS = 10_000
MOST_SIDE = 4_096
MOST_THREADS = 1_024


class ImageOptions(TypedDict, total=False):
    """Options of the data of the task `images`."""

    image_size: Annotated[
        int | None,
        Option(
            "Height and width of the images of a folder; by default inferred.",
            least=1,
            most=MOST_SIDE,
        ),
    ]


class ComparisonOptions(ImageOptions, total=False):
    """Options of `search` and `score` alike."""

    task: TaskName
    data: Annotated[
        Any,
        Option(
            "A name of `diswot list datasets`, a folder, or package.module:callable; by default "
            "the task's."
        ),
    ]
    data_root: DataRoot
    scorer: Annotated[
        Any,
        Option(
            "A name of `diswot list scorers`, several joined with +, logrank(a,b,…), or "
            "package.module:callable.",
            default=DEFAULT_SCORER,
        ),
    ]
    combination: Annotated[
        Combination | None,
        Option(
            "How a scorer's terms become one score; by default as the scorer says.",
            choices=COMBINATIONS,
        ),
    ]
    repeats: Annotated[
        int,
        Option("Initializations and batches per score.", default=3, least=1, most=MOST_REPEATS),
    ]
    batch_size: Annotated[
        int, Option("Images per scored batch.", default=64, least=2, most=MOST_IMAGES)
    ]
    teacher_state: Annotated[
        TeacherState | None,
        Option(
            "Score against the teacher at random initialization or with its weights; by default "
            "as the scorer is made for.",
            choices=TEACHER_STATES,
        ),
    ]
    teacher_weights: TeacherWeights
    teacher_classes: TeacherClasses
    seed: Seed
    device: Device
    threads: Annotated[
        int,
        Option(
            "Threads of each score, whose last digits differ with another number, and of measured "
            "latencies.",
            default=1,
            least=1,
            most=MOST_THREADS,
        ),
    ]


class SearchOptions(ComparisonOptions, total=False):
    """Options of `search` and `run` alike."""

    engine: Annotated[
        str, Option("How candidates are proposed.", default="evolution", choices=ENGINES)
    ]
    population: Annotated[
        int, Option("Candidates per generation.", default=20, least=1, most=MOST_CANDIDATES)
    ]
    generations: Annotated[
        int,
        Option(
            "Generations after the first, which is random.",
            default=10,
            least=0,
            most=MOST_CANDIDATES,
        ),
    ]
    objectives: Annotated[
        Sequence[str] | None,
        Option(
            "What nsga2 trades off: score and any of params, macs, latency_ms, memory; "
            "by default score,params."
        ),
    ]
    latency: Annotated[
        str | None,
        Option(
            "Where milliseconds come from: measured here as `eager`, `onnx` or `torch-compile`; a "
            "table (.csv); or what `diswot latency calibrate` wrote (.json). By default, where "
            "they are asked for, `onnx` if it is installed."
        ),
    ]
    latency_column: Annotated[str | None, Option("Which column of a table of latencies.")]
    workers: Annotated[
        int,
        Option(
            "Processes; by default one for each core, up to eight. The result is the same.",
            default=1,
            least=1,
        ),
    ]
    cluster: Annotated[
        str | None,
        Option("Address of a Dask scheduler (tcp://host:8786), whose workers evaluate."),
    ]


class ResumeOptions(TypedDict, total=False):
    """Options of `resume`: what can be another than before, and what must be named again."""

    task: Annotated[str | None, Option("Only if it was Python code: name it again.")]
    generations: Annotated[
        int | None,
        Option("More generations than the search had.", least=0, most=MOST_CANDIDATES),
    ]
    teacher: Annotated[Any, Option("Only if it was Python code: name it again.")]
    teacher_weights: Annotated[str | Path | None, Option("Where the checkpoint is now.")]
    space: Annotated[Any, Option("Only if it was Python code: name it again.")]
    data: Annotated[Any, Option("Where a folder of images is now; Python code, named again.")]
    image_size: Annotated[
        int | None, Option("Height and width of the images of a folder.", least=1, most=MOST_SIDE)
    ]
    data_root: Annotated[str | Path | None, Option("Where datasets are; also DISWOT_DATA.")]
    scorer: Annotated[Any, Option("Only if it was Python code: name it again.")]
    device: Annotated[str | None, Option("Where to compute; by default as before.")]
    workers: Annotated[int, Option("Processes; the result is the same.", default=1, least=1)]
    cluster: Annotated[str | None, Option("Address of a Dask scheduler, whose workers evaluate.")]
