"""Searches with every engine, with workers, resumed, and with a Hugging Face teacher."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diswot
from diswot.search import ENGINES
from tests.regression.places import Places, Record
from tests.regression.scores import candidates
from tests.vit import save_vit

SMALL: dict[str, Any] = {
    "population": 5,
    "generations": 2,
    "repeats": 2,
    "batch_size": 8,
    "seed": 5,
    "device": "cpu",
}


def search_cases() -> dict[str, Callable[[Places], Record]]:
    """Return the cases by name."""
    return {
        **{f"search/s0/{engine}": _by_engine(engine) for engine in ENGINES},
        "search/s0/default scorer": _searched,
        "search/s0/two workers": lambda places: _searched(places, workers=2),
        "search/s0/resumed": _resumed,
        "search/macro": lambda places: _searched(
            places, space="macro-basic", scorer="params", budget=diswot.Budget(params=9_000_000)
        ),
        "search/cells on cifar100": _on_cifar100,
        "search/hf teacher on a folder": _for_hugging_face,
    }


def _by_engine(engine: str) -> Callable[[Places], Record]:
    size: dict[str, Any] = {} if engine == "exhaustive" else {"generations": 3}
    scorer = "params" if engine == "exhaustive" else "diswot"
    return lambda places: _searched(
        places, engine=engine, scorer=scorer, budget=diswot.Budget(params=600_000), **size
    )


def _on_cifar100(places: Places) -> Record:
    return _searched(
        places,
        space="nas-bench-201",
        data="cifar100",
        data_root=places.shared,
        generations=1,
        repeats=1,
    )


def _for_hugging_face(places: Places) -> Record:
    return _searched(
        places,
        teacher=f"hf:{hugging_face_teacher(places.scratch / 'teacher')}",
        data=places.shared / "tiny-imagenet-20",
        data_root=places.cache,
        population=3,
        generations=1,
        repeats=1,
    )


def hugging_face_teacher(folder: Path) -> Path:
    """Write a small vision transformer with random weights in the Hugging Face format."""
    return save_vit(folder, side=64, classes=20, layers=3, mlp=32)


def _searched(
    places: Places, *, teacher: str = "resnet20", space: str = "s0", **options: Any
) -> Record:
    folder = places.scratch / "run"
    diswot.search(teacher, space, out=folder, **{**SMALL, **options})
    return found_in(folder)


def _resumed(places: Places) -> Record:
    folder = places.scratch / "run"
    diswot.search("resnet20", "s0", out=folder, **{**SMALL, "generations": 1})
    diswot.resume(folder, generations=SMALL["generations"])
    return found_in(folder)


def found_in(folder: Path) -> Record:
    """Return the content of the journal and the result of a run folder."""
    result = diswot.load_run(folder)
    return {
        "best": result.best.name,
        "front": [candidate.name for candidate in result.front],
        "knee": result.knee.name,
        "shortlist": [candidate.name for candidate in result.shortlist()],
        "baselines": {label: candidates([c]) for label, c in result.baselines.items()},
        **candidates(result.candidates),
    }
