"""The recipe, the Dockerfile and the citation agree with setup.cfg."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest

import diswot

ROOT = Path(__file__).parents[1]
OTHER_NAMES = {"torch": "pytorch", "cloudpickle": "python-cloudpickle"}
"""Name on PyPI → name on conda-forge, where they differ."""

NOT_ON_CONDA_FORGE = {"nas-bench-201"}


@pytest.fixture(scope="module")
def setup() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def test_the_recipe_has_the_requirements_of_the_package(setup: ConfigParser) -> None:
    recipe = (ROOT / "recipe" / "meta.yaml").read_text()
    listed = set(re.findall(r"    - (\S+) >=(\S+)", recipe[recipe.index("  run:") :]))
    wanted = re.findall(r"^(\S+)>=(\S+)$", setup["options"]["install_requires"], re.MULTILINE)
    expected = {(OTHER_NAMES.get(name, name), version) for name, version in wanted}
    python = setup["options"]["python_requires"].removeprefix(">=")
    missing = {item for item in expected if item[0] in NOT_ON_CONDA_FORGE}
    assert listed == expected - missing | {("python", python)}
    assert all(name in recipe for name in NOT_ON_CONDA_FORGE)


def test_the_dockerfile_installs_extras_that_exist(setup: ConfigParser) -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    (extras,) = (line.removeprefix("ARG EXTRAS=") for line in lines if "ARG EXTRAS" in line)
    assert set(extras.split(",")) <= set(setup["options.extras_require"])
    (base,) = (line.removeprefix("FROM python:") for line in lines if line.startswith("FROM"))
    tried = f"Programming Language :: Python :: {base.removesuffix('-slim')}"
    assert tried in setup["metadata"]["classifiers"]


def test_the_same_version_is_everywhere(setup: ConfigParser) -> None:
    version = setup["metadata"]["version"]
    assert diswot.__version__ == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f'{{% set version = "{version}" %}}' in (ROOT / "recipe" / "meta.yaml").read_text()
