"""`diswot init` writes options that fit a folder of photos."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import CommandLine


def photos(folder: Path, *, sides: tuple[int, int], counts: dict[str, int], mode: str) -> None:
    generator = np.random.default_rng(0)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            shape = sides if mode == "L" else (*sides, 3)
            pixels = generator.integers(0, 256, shape).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def test_the_file_fits_the_photos_and_can_be_read(cli: CommandLine) -> None:
    photos(Path("birds"), sides=(150, 90), counts={"owl": 12, "wren": 60}, mode="RGB")
    out = cli("init", "birds")
    assert out.code == 0
    text = Path("run.toml").read_text()
    values = tomllib.loads(text)
    assert values["data"] == str(Path("birds").resolve())
    assert values["image_size"] == 64  # the largest common size within 90 pixels
    assert "2 classes, color" in text
    assert "has 90" in text
    assert "# The class 'wren' has" in text
    printed = cli("run", "--config", "run.toml", "--print-config")
    assert printed.code == 0
    assert printed.err == ""
    used = tomllib.loads(printed.out)
    assert {name: used[name] for name in values} == values


def test_gray_photos_are_detected(cli: CommandLine) -> None:
    photos(Path("gray"), sides=(20, 24), counts={"a": 12, "b": 12}, mode="L")
    assert cli("init", "gray", "--out", "mine.toml").code == 0
    text = Path("mine.toml").read_text()
    assert "2 classes, gray" in text
    assert "only" not in text
    assert tomllib.loads(text)["image_size"] == 32


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "nowhere"),
        (("empty",), "empty"),
        (("gray", "--out", "there.toml"), "there.toml already exists"),
        (("gray", "--out", "no/such/run.toml"), "no/such/run.toml cannot be written"),
    ],
)
def test_invalid_arguments_are_one_line_errors(
    arguments: tuple[str, ...], words: str, cli: CommandLine
) -> None:
    Path("empty").mkdir()
    Path("there.toml").touch()
    photos(Path("gray"), sides=(20, 24), counts={"a": 12, "b": 12}, mode="L")
    out = cli("init", *arguments)
    assert out.code == 2
    assert words in out.err
    assert len(out.err.splitlines()) == 1
    assert not Path("run.toml").exists()
