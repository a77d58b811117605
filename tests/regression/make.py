"""Record the current results of the regression cases: `python -m tests.regression.make [NAME...]`.

With NAME, only cases whose names start with one of them are recorded. Run it after an
intended change of a result; the diff of `fixtures.json` then shows which results changed.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import torch

from tests.regression.cases import FIXTURES, cases, environment
from tests.regression.places import SHARED, Places, Record


def main(beginnings: tuple[str, ...]) -> None:
    torch.set_num_threads(1)
    known = json.loads(FIXTURES.read_text("utf-8")) if FIXTURES.exists() else {}
    if beginnings and known.get("environment", environment()) != environment():
        sys.exit("fixtures.json was made on another machine or with another torch: make all of it")
    found: dict[str, Record] = known.get("cases", {}) if beginnings else {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, compute) in enumerate(cases().items()):
            if not name.startswith(beginnings or ""):
                continue
            scratch = Path(folder, str(number))
            scratch.mkdir()
            start = time.process_time()
            found[name] = compute(Places(scratch, SHARED, Path(folder)))
            sys.stdout.write(f"{time.process_time() - start:6.2f} s  {name}\n")
    write(found)


def write(found: dict[str, Record]) -> None:
    """Write the fixtures with one case per line."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found))
    head = json.dumps(environment())
    FIXTURES.write_text(f'{{"environment": {head},\n"cases": {{\n{lines}\n}}}}\n', "utf-8")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
