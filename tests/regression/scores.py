"""Scores of given architectures by every built-in scorer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import diswot
from diswot.search import Candidate
from tests.regression.places import Places, Record

CELLS = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
    "|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|",
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|nor_conv_1x1~1|none~2|",
    "|skip_connect~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_1x1~1|nor_conv_3x3~2|",
)
FORMERS = (
    "192-h3,4,4,3,3,3,4,4,3,4,3,3-m3.5,4,3.5,4,4,3.5,4,4,4,3.5,3.5,4",
    "240-h4,3,4,4,4,3,3,4,3,4,4,4,3-m4,4,3.5,3.5,4,4,3.5,4,3.5,4,4,3.5,4",
)
DEPTHS = ("1-1-1", "3-3-3", "7-1-1", "1-7-1", "1-1-7", "5-3-1", "3-7-5", "1-5-3", "7-5-3", "7-7-7")


SEARCHED_BY = ("student_fit", "student_fit_1", "diswot", "az_nas", "logrank(nwot,params)")
"""Scorers that every architecture is scored by."""


@dataclass(frozen=True)
class Subject:
    """Architectures and the settings that score them.

    Attributes:
        space: the space's name.
        architectures: what `SEARCHED_BY` scores.
        thorough: how many of them every other scorer scores too.
        data: the dataset's name.
        options: of `diswot.score`.
    """

    space: str
    architectures: tuple[str, ...]
    thorough: int
    data: str
    options: Mapping[str, Any]


SUBJECTS = {
    "s0": Subject("s0", DEPTHS, 3, "digits", {"repeats": 2, "batch_size": 8}),
    "cells": Subject("nas-bench-201", CELLS, 2, "cifar100", {"repeats": 1, "batch_size": 4}),
    "autoformer": Subject("autoformer", FORMERS, 1, "cifar100", {"repeats": 1, "batch_size": 4}),
}


SINGLE = (
    "az_expressivity",
    "az_progressivity",
    "az_trainability",
    "flops",
    "relation",
    "semantic",
    "jacov",
    "epe_nas",
    "fc_weights",
    "filled_width",
    "fisher",
    "grad_norm",
    "gradsign",
    "grasp",
    "kd",
    "fitnet",
    "at",
    "sp",
    "cc",
    "rkd",
    "pkt",
    "nst",
    "ickd",
    "kdsvd",
    "fsp",
    "l2_norm",
    "meco",
    "null",
    "nwot",
    "params",
    "plain",
    "relation_gram",
    "root_size",
    "semantic_grad",
    "size_ln",
    "snip",
    "teacher_alignment",
    "swap",
    "swap_reg",
    "synflow",
    "trainable_layers",
    "vkdnw",
    "zen",
    "zico",
)
"""Built-in scorers of one term; other tests register more."""


def score_cases() -> dict[str, Callable[[Places], Record]]:
    """Return a case for each subject and scorer; scorers of one term are read from one pass."""
    return {
        **{
            f"score/{subject}/{scorer}": partial(_scored, SUBJECTS[subject], scorer)
            for subject in SUBJECTS
            for scorer in SEARCHED_BY
        },
        **{
            f"score/{subject}/all": partial(_scored, few, " + ".join(SINGLE))
            for subject, few in zip(SUBJECTS, map(_few, SUBJECTS.values()), strict=True)
        },
    }


def _few(subject: Subject) -> Subject:
    return replace(subject, architectures=subject.architectures[: subject.thorough])


def _scored(subject: Subject, scorer: str, places: Places) -> Record:
    found = diswot.score(
        subject.architectures,
        "resnet20",
        space=subject.space,
        data=subject.data,
        data_root=places.shared,
        scorer=scorer,
        seed=3,
        device="cpu",
        **subject.options,
    )
    return candidates(found)


def candidates(found: Iterable[Candidate]) -> Record:
    """Return the costs and scores of candidates, in their order."""
    return {
        "candidates": [
            {
                "name": candidate.name,
                "params": candidate.params,
                "macs": candidate.macs,
                "score": candidate.score,
                **{f"term {name}": list(values) for name, values in candidate.terms.items()},
            }
            for candidate in found
        ],
    }
