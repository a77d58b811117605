"""Commands start quickly, whatever the current folder and other packages contain."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import diswot
from diswot.cli import LazyGroup
from diswot.cli._main import cli
from diswot.errors import PluginError
from tests.forked import run_programs
from tests.plugin import offer

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]


def commands(group: click.Group, *before: str) -> Iterator[str]:
    """Yield every command of a group, and of the groups in it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        yield " ".join([*before, name])
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from commands(found, *before, name)


COMMANDS = tuple(commands(cli))

# Prints the modules that `diswot ARGUMENTS` has imported.
IMPORTED = """
import contextlib, io, sys
from diswot.cli import main
for line in sys.argv[1:]:
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main(line.split())
print(*sys.modules)
"""


def imported(*lines: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *lines], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_help_and_version_import_no_torch() -> None:
    modules = imported("--help", "--version", "")
    assert modules.isdisjoint({"torch", "numpy", "benchmarks"})


def test_the_help_of_a_command_imports_no_torch() -> None:
    modules = imported(*(f"{command} --help" for command in COMMANDS))
    assert "diswot.cli.bench" in modules
    assert "torch" not in modules


def test_importing_the_package_imports_no_torch() -> None:
    ask = "import sys, diswot; dir(diswot); diswot.__version__; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_public_functions_do_not_depend_on_the_import_order() -> None:
    ask = "import diswot.{}, diswot; print(*(getattr(diswot, n).__name__ for n in diswot.__all__))"
    programs = [("-c", ask.format(room)) for room in ("search", "export", "pipeline", "scorers")]
    for done in run_programs(programs, imports="torch"):
        assert done.out.decode().split() == diswot.__all__, done.err


def test_unknown_names_of_the_package_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="serach"):
        _ = diswot.serach
    assert diswot.scorers.find_scorer("params").card.name == "params"
    assert set(diswot.__all__) <= set(dir(diswot))


class Installed:
    """The wheel in a separate environment that shares the other packages of this one."""

    def __init__(self, folder: Path) -> None:
        source = folder / "source"
        for name in ("diswot", "search_spaces", "benchmarks"):
            ignored = shutil.ignore_patterns("__pycache__", "results")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source / name)
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        offline = ("--no-deps", "--no-index")
        built = ("wheel", *offline, "--no-build-isolation", "-w", str(folder), str(source))
        subprocess.run([*pip, *built], check=True)
        environment = folder / "environment"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        self._bin = environment / "bin"
        wheel = next(folder.glob("*.whl"))
        into = ("--python", str(self._bin / "python"))
        subprocess.run([*pip, *into, "install", *offline, str(wheel)], check=True)
        packages = next(environment.glob("lib/python*/site-packages"))
        places = {p for p in sys.path if p.endswith("site-packages")}
        places |= {sysconfig.get_paths()["purelib"]}
        (packages / "others.pth").write_text("\n".join(sorted(places)) + "\n")

    def run(self, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self._bin / "diswot", *arguments],
            cwd=folder,
            env={n: v for n, v in os.environ.items() if n != "PYTHONPATH"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"))


def test_an_installed_wheel_works_in_any_folder(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__init__.py").write_text("raise RuntimeError('mine')\n")
    for name in ("search_spaces.py", "click.py", "options.py", "diswot.py"):
        (tmp_path / name).write_text("raise RuntimeError('mine')\n")
    assert {"run", "bench correlation", "latency calibrate"} < {*COMMANDS}
    for command in ("", *COMMANDS):
        done = installed.run(tmp_path, *command.split(), "--help")
        assert (done.returncode, done.stderr) == (0, ""), command
        assert "Usage: diswot" in done.stdout


def test_modules_in_the_current_folder_are_importable(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise RuntimeError('found')\n")
    done = installed.run(tmp_path, "score", "1-1-1", "--space", "mine:Space", "--teacher", "vgg8")
    assert "found" in done.stderr


def test_a_broken_plugin_does_not_affect_other_commands(tmp_path: Path) -> None:
    offer(tmp_path, group="diswot.commands", code="import nowhere_at_all\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}

    def run_diswot(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "diswot", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    page = run_diswot("--help")
    assert (page.returncode, page.stderr) == (0, "")
    assert "offered" in page.stdout
    refused = run_diswot("offered", "--help")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "offering" in refused.stderr
    assert "nowhere_at_all" in refused.stderr


def test_a_broken_scorer_plugin_gives_one_warning(tmp_path: Path) -> None:
    offer(tmp_path, group="diswot.scorers", code="1 / 0\n")
    done = subprocess.run(
        [sys.executable, "-m", "diswot", "list", "scorers"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "student_fit" in done.stdout
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("diswot: warning: the plugin offered")


def test_a_plugin_that_is_not_a_command_is_refused() -> None:
    group = LazyGroup(lazy={"mine": "pathlib:Path"})
    with pytest.raises(PluginError, match=r"not a click\.Command"):
        group.main(["mine"], standalone_mode=False)
