"""`diswot bench make-truth`: train students, alone and distilled."""

from pathlib import Path
from typing import Any

import click

from diswot.cli import Whole, displayed_progress, option, options, print_json, print_table, say
from diswot.cli.bench._options import training_options
from diswot.options import SearchOptions
from diswot.runs.folder import next_folder

LISTED = 10


@click.command("make-truth")
@options.SPACE
@options.DATA
@option(SearchOptions, "image_size")
@options.TEACHER
@click.option("--sample", type=Whole(min=1, max=1_000_000), help="Architectures; by default all.")
@training_options
def make_truth(out: Path | None, workers: int, as_json: bool, **chosen: Any) -> None:
    """Create a ground truth: train every student of a space alone and distilled.

    If the command is interrupted, run it again with the same --out to resume it.

    Example: diswot bench make-truth --space s0 --data digits --train-images 60 --out truth
    """
    from diswot.bench.make_truth import TruthSettings
    from diswot.bench.make_truth import make_truth as make
    from diswot.tasks import find_subject

    subject = find_subject(chosen, teacher=chosen["teacher"], space=chosen["space"])
    chosen |= {"data": subject.data, "teacher": subject.teacher, "space": subject.space}
    out = out or next_folder(Path("runs"), "truth")
    with displayed_progress() as progress:
        rows = make(TruthSettings(**chosen), out, workers=workers, progress=progress)
    if as_json:
        print_json({"truth": str(out / "truth.csv"), "rows": [vars(row) for row in rows]})
        return
    best = sorted(rows, key=lambda row: row.distilled, reverse=True)
    print_table(
        f"The {min(LISTED, len(best))} best of {len(best)} when distilled, test accuracy in %",
        ["architecture", "alone ± sd", "distilled ± sd"],
        [
            [
                row.arch,
                f"{row.vanilla:.1f} ± {row.vanilla_sd:.1f}",
                f"{row.distilled:.1f} ± {row.distilled_sd:.1f}",
            ]
            for row in best[:LISTED]
        ],
        caption=f"Mean of {chosen['seeds']} seeds; ± is the standard deviation between them.",
    )
    say(
        f"Next: diswot bench correlation --truth {out / 'truth.csv'} --column distilled "
        f"--space {chosen['space']} --data {chosen['data']}"
    )
