"""Searches over networks with any signature, and runs of DisWOT 0.1.0."""

import json
from pathlib import Path

import pytest

import diswot
from diswot.errors import OptionError, RunFolderError, SpaceError
from diswot.search import check_scoring, find_space, resume
from search_spaces import MobileSpace, ResNetDepthSpace, SearchSpace, Signature, TensorSpec
from tests.signatures import of_images


def search(folder: Path, *, generations: int = 1) -> diswot.SearchResult:
    return diswot.search(
        "resnet20",
        "s0",
        scorer="nwot",
        population=2,
        generations=generations,
        repeats=1,
        batch_size=4,
        out=folder,
        progress=False,
    )


def as_first_version(folder: Path) -> None:
    """Write the manifest in the format of 0.1.0: images in place of a signature, and no task."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    (images,) = manifest["data"]["signature"]["inputs"]
    signature = manifest["data"].pop("signature")
    manifest["data"]["images"] = signature["facts"] | {
        "shape": images["shape"],
        "num_classes": signature["outputs"],
    }
    del manifest["settings"]["task"], manifest["sha256"]
    path.write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.slow
def test_a_run_of_the_first_version_is_read_and_resumed(tmp_path: Path) -> None:
    whole = search(tmp_path / "whole", generations=2)
    search(tmp_path / "run")
    as_first_version(tmp_path / "run")
    read = diswot.load_run(tmp_path / "run")
    assert read.signature == whole.signature
    assert read.candidates[0].build(seed=0)(*read.signature.example(1)).shape == (1, 10)
    assert resume(tmp_path / "run", generations=2, progress=False).candidates == whole.candidates


@pytest.mark.slow
def test_a_run_on_other_data_is_not_resumed(tmp_path: Path) -> None:
    search(tmp_path / "run")
    path = tmp_path / "run" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["sha256"]
    manifest["data"]["signature"]["facts"]["scale"] = 17.0
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(RunFolderError, match="the data is not that of the run"):
        resume(tmp_path / "run", progress=False)


class Wordy(ResNetDepthSpace):
    """A space without `in_channels`, with an option for words."""

    def __init__(self, *, words: int = 3) -> None:
        super().__init__()
        self.words = words


def test_only_spaces_with_in_channels_get_the_channels() -> None:
    text = Signature((TensorSpec("ids", (None,), "int64", high=9),), 4)
    found: SearchSpace = find_space("tests.search.test_signatures:Wordy", of_images(1, 8, 8))
    assert isinstance(found, Wordy)
    for signature, channels in ((of_images(1, 8, 8), 1), (text, 3)):
        named = find_space("search_spaces:ResNetDepthSpace", signature)
        built_in = find_space("s0", signature)
        assert vars(named)["in_channels"] == vars(built_in)["in_channels"] == channels


def test_a_space_with_a_minimal_image_size_checks_it() -> None:
    space = find_space("mobile-small", of_images(1, 24, 24))
    assert isinstance(space, MobileSpace)
    assert (space.image_size, space.in_channels) == (24, 1)
    with pytest.raises(SpaceError, match=r"space mobile-small: .*images 1×6×6 raised ValueError"):
        find_space("mobile-small", of_images(1, 6, 6))


def test_the_whole_mobile_space_has_wider_and_deeper_networks() -> None:
    signature = of_images(3, 32, 32)
    whole, small = (find_space(name, signature) for name in ("mobile", "mobile-small"))
    assert whole.size is not None
    assert small.size is not None
    assert whole.size > small.size
    stages = ",".join(f"stage{i}=d3k5e6" for i in range(1, 6))
    arch = whole.from_string(f"resolution=32,width=1.5,squeeze=True,activation=relu,{stages}")
    with pytest.raises(ValueError, match=r"got '1\.5'"):
        small.from_string(whole.to_string(arch))


@pytest.mark.parametrize(
    ("scorer", "reads"),
    [("diswot", "classifier weights"), ("snip", "labels"), ("logrank(kd,params)", "logits")],
)
def test_scores_that_need_data_the_task_lacks_are_refused(scorer: str, reads: str) -> None:
    check_scoring("resnet20", "s0", scorer=scorer)
    with pytest.raises(OptionError, match=f"reads {reads}, which networks of the task landmarks"):
        check_scoring(None, None, task="landmarks", scorer=scorer)
