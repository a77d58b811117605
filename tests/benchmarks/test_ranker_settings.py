"""The study of the ranker's settings changes constants that exist, and restores them."""

import pytest

from benchmarks.ranker_settings import SETTINGS, changed
from diswot.search.few_shot import _posterior, _ranker


def constants() -> tuple[object, ...]:
    return (
        *(_ranker.FIRST, _ranker.BEST, _ranker.TRUSTED),
        *(_posterior.SHARED_ERROR, _posterior.ASSUMPTIONS),
    )


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_is_changed_inside_the_block_only(setting: str) -> None:
    before = constants()
    with changed(setting):
        assert (constants() != before) == bool(SETTINGS[setting])
    assert constants() == before
