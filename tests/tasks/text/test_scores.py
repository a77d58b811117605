"""Scores of text encoders: supported scorers, and those that are refused by name."""

from typing import Any

import pytest

from diswot.errors import OptionError
from diswot.search import search
from diswot.tasks.text import TextData
from search_spaces import TextEncoderSpace

SPACE = TextEncoderSpace(layers=(1, 2), hidden=(8, 12), heads=(1, 2), ratios=(1, 2), head_size=4)


@pytest.mark.parametrize(
    "scorer", ["student_fit", "diswot", "fitnet+sp", "nwot", "az_nas", "zico", "vkdnw", "synflow"]
)
def test_text_encoders_can_be_scored(scorer: str, data: TextData) -> None:
    found = search(
        "encoder-medium",
        SPACE,
        data=data,
        scorer=scorer,
        engine="random",
        population=4,
        generations=0,
        batch_size=8,
        repeats=1,
        progress=False,
    )
    assert len({candidate.score for candidate in found.candidates}) > 1


def test_few_texts_are_scored_in_one_batch_by_default(data: TextData) -> None:
    options: dict[str, Any] = {"engine": "random", "population": 1, "generations": 0}
    found = search(
        "encoder-medium", SPACE, data=data, scorer="nwot", repeats=1, progress=False, **options
    )
    assert found.manifest["settings"]["batch_size"] == data.size("train") < 64
    with pytest.raises(OptionError, match="choose a smaller --batch-size"):
        search("encoder-medium", SPACE, data=data, batch_size=64, progress=False, **options)


@pytest.mark.parametrize("scorer", ["zen", "jacov", "epe_nas", "vkdnw_agg"])
def test_scores_that_need_real_inputs_are_refused(scorer: str, data: TextData) -> None:
    with pytest.raises(OptionError, match=f"scorer {scorer} reads .*real inputs, which"):
        search("encoder-medium", SPACE, data=data, scorer=scorer, progress=False)


def test_an_image_space_is_refused(data: TextData) -> None:
    from diswot.errors import DiswotError

    with pytest.raises(DiswotError) as refused:
        search("encoder-medium", "s0", data=data, progress=False)
    assert "\n" not in str(refused.value)
