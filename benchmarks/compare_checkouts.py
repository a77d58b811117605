"""Time scoring and training in two checkouts in turn: `compare_checkouts.py OLD NEW [ROUNDS]`.

Each checkout has a process of its own, with one thread, and they are asked in turn, so that
what else the machine does falls on both. Times are of the processor, and what a command does
once is subtracted.
"""

import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, cast

import click

ROUNDS = 9

_WORKER = """
import sys, tempfile, time, torch, diswot
from search_spaces import ResNetDepthSpace
torch.set_num_threads(1)
space = ResNetDepthSpace(in_channels=1)
archs = ["1-3-5", "3-3-3", "7-1-1", "5-5-3", "1-1-1", "3-1-3", "1-5-1", "3-5-1", "1-1-3", "5-1-1"]

def network(arch):
    torch.manual_seed(0)
    return space.build(space.from_string(arch), 10)

def score(count):
    start = time.process_time()
    options = {"batch_size": 64, "repeats": 3, "seed": 0, "device": "cpu"}
    diswot.score(archs[:count], "resnet20", space="s0", scorer="diswot", **options)
    return time.process_time() - start

def train(epochs):
    options = {"epochs": epochs, "train_batch_size": 32, "seed": 0, "device": "cpu", "force": True}
    student, teacher = network("1-1-1"), network("3-3-3")
    start = time.process_time()
    diswot.distill(student, teacher, loss="diswot-dagger", **options)
    return time.process_time() - start

def search():
    start = time.process_time()
    options = {"data": "digits", "teacher_state": "random", "device": "cpu", "progress": False}
    with tempfile.TemporaryDirectory() as folder:
        diswot.search("resnet56", "s0", out=f"{folder}/run", **options)
    return time.process_time() - start

timed = {
    "score": lambda: (score(10) - score(1)) / 9,
    "train": lambda: (train(6) - train(1)) / (5 * (300 // 32)),
    "search": search,
}
print(diswot.__file__, flush=True)
for line in sys.stdin:
    print(timed[line.strip()](), flush=True)
"""

TIMED = {
    "score": "the score diswot, one S0 candidate",
    "train": "a step of diswot-dagger, 32 images, evaluation included",
}


def worker(checkout: Path) -> Callable[[str], float]:
    """Start a process in a checkout; return a function that times a command there, in seconds.

    Raises:
        SystemExit: the process imports the library from another place.
    """
    process = subprocess.Popen(  # noqa: S603  (this Python, on the program above)
        [sys.executable, "-c", _WORKER],
        cwd=checkout,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    asked, answers = cast(IO[str], process.stdin), cast(IO[str], process.stdout)
    imported = next(answers, "").strip()
    if Path(imported).parents[1:2] != (checkout,):
        sys.exit(f"{checkout} imports the library from {imported or 'nowhere'}: give a checkout")

    def timed(what: str) -> float:
        asked.write(f"{what}\n")
        asked.flush()
        return float(next(answers))

    return timed


def compare(
    old: Path, new: Path, rounds: int = ROUNDS, *, commands: Sequence[str] = tuple(TIMED)
) -> dict[str, tuple[list[float], ...]]:
    """Return command → seconds of both checkouts, without the first round."""
    workers = worker(old), worker(new)
    times: dict[str, tuple[list[float], ...]] = {what: ([], []) for what in commands}
    for number in range(rounds + 1):
        for what in commands:
            for side in (0, 1) if number % 2 else (1, 0):
                seconds = workers[side](what)
                if number > 0:
                    times[what][side].append(seconds)
    return times


def main(arguments: Sequence[str]) -> None:
    """Print a line per command: milliseconds of both checkouts, and their ratio."""
    if not 2 <= len(arguments) <= 3:
        sys.exit(__doc__)
    old, new = (Path(argument).resolve() for argument in arguments[:2])
    rounds = int(arguments[2]) if len(arguments) == 3 else ROUNDS
    for what, sides in compare(old, new, rounds).items():
        click.echo(f"{TIMED[what]} (ms of CPU, {rounds} rounds)")
        for name, of in (("min", min), ("median", statistics.median)):
            before, after = (1000 * of(side) for side in sides)
            ratio = after / before
            click.echo(f"  {name:6}  old {before:8.2f}  new {after:8.2f}  ratio {ratio:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
