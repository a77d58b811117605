"""Compare three searches, which differ only in their score, in MLflow and on one page.

Each search is stored in MLflow while it runs, with its options, candidates and files. At the end,
the costs of the best students are read from MLflow.

    python examples/three_searches.py
    python examples/three_searches.py --small   # takes seconds
    mlflow ui
"""

import argparse
from pathlib import Path
from typing import Any

import diswot
from diswot.tracking import run_ids, track

SCORERS = ("student_fit", "nwot", "params")


def main(*, out: str, small: bool) -> None:
    """Search with each score, and compare the runs."""
    options: dict[str, Any] = {}
    if small:
        options = {"population": 3, "generations": 0, "repeats": 1, "batch_size": 16}
    folders = [Path(out) / scorer for scorer in SCORERS]
    for scorer, folder in zip(SCORERS, folders, strict=True):
        with track("mlflow", folder) as progress:
            diswot.search(
                "resnet20" if small else "resnet56",
                "s0",
                data="digits",
                scorer=scorer,
                budget=diswot.Budget(params=200_000),
                out=folder,
                progress=progress,
                **options,
            )
    comparison = diswot.compare_runs(folders, out=Path(out) / "comparison.html")
    print(f"wrote {comparison.page}")
    for folder in folders:
        values = stored_metrics(folder)
        params, macs = values["score/best_params"], values["score/best_macs"]
        print(f"{folder.name}: {params:,.0f} parameters, {macs:,.0f} multiply-adds")


def stored_metrics(folder: Path) -> dict[str, float]:
    """Return the last values of a run's metrics in MLflow."""
    from mlflow import MlflowClient

    run = MlflowClient().get_run(run_ids(folder)["mlflow"])
    return dict(run.data.metrics)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="runs", help="the folder of the three run folders")
    parser.add_argument("--small", action="store_true", help="a search of seconds")
    main(**vars(parser.parse_args()))
