"""Tables of losses and of training results."""

from benchmarks.results_folder import RESULTS
from diswot.bench.tables import markdown, number
from diswot.csv_table import read_table
from diswot.losses import PRESETS, TermSpec, terms
from diswot.tasks import find_task


def losses() -> str:
    """Return the table of all loss terms that several tasks share, from their cards."""
    rows = [
        [
            f"`{name}`",
            spec.card.summary,
            ", ".join(spec.card.reads),
            f"{spec.card.weight:g}",
            ", ".join(f"`{option}`" for option in spec.written_options()) or "–",
        ]
        for name, spec in _shared_terms()
    ]
    return markdown(["term", "compares", "reads", "weight", "options"], rows)


def loss_sources() -> str:
    """Return the papers of the loss terms, and the sources of their default weights."""
    rows = [
        [f"`{name}`", spec.card.source, spec.card.weight_source] for name, spec in _shared_terms()
    ]
    return markdown(["term", "paper", "source of the weight"], rows)


def _shared_terms() -> list[tuple[str, TermSpec]]:
    """Return the terms that no task defines, by name."""
    return [
        (name, spec)
        for name, spec in sorted(terms().items())
        if spec.given.__module__.startswith("diswot.losses.")
    ]


def presets() -> str:
    """Return the table of named losses for images."""
    named = {name: PRESETS[name] for name in find_task("images").losses}
    rows = [[f"`{name}`", f"`{p.expression}`", p.summary] for name, p in named.items()]
    return markdown(["`--loss`", "expression", "description"], rows)


def distilled(data: str) -> str:
    """Return the students' accuracies by loss on a dataset."""
    rows = [row for row in read_table(RESULTS / "losses.csv") if row["data"] == data]
    teacher = [rows[0]["teacher"], "–", number(rows[0]["teacher_accuracy"], ".1f"), "–", "–"]
    columns = ["network", "loss", "accuracy in % ± sd", "gain", "p", "result"]
    return markdown(
        columns,
        [
            [*teacher, "teacher"],
            *(
                [
                    row["student"],
                    f"`{row['loss']}`",
                    f"{number(row['accuracy'], '.1f')} ± {number(row['sd'], '.1f')}",
                    number(row["gain"], "+.1f"),
                    number(row["adjusted"], ".3f"),
                    row["verdict"] or "–",
                ]
                for row in rows
            ),
        ],
    )


def shortlists() -> str:
    """Return the gain of shortlists over training the top-scoring student."""
    columns = ["data", "trained", "epochs in all", "of the last training", "students by seed"]
    return markdown(
        [*columns, "accuracy in % ± sd", "gain", "p"],
        [
            [
                row["data"],
                "top-scoring" if row["method"] == "first" else f"shortlist of {row['count']}",
                row["epochs"],
                row["last_epochs"],
                row["students"],
                f"{number(row['accuracy'], '.1f')} ± {number(row['sd'], '.1f')}",
                number(row["gain"], "+.1f"),
                number(row["p"], ".3f"),
            ]
            for row in read_table(RESULTS / "shortlist.csv")
        ],
    )


def training_speed() -> str:
    """Return the overhead of the training loop over the networks."""
    columns = ["augmentation", "bare step in ms", "step in ms", "waiting for data"]
    return markdown(
        [*columns, "step over bare step"],
        [
            [
                f"`{row['augment']}`",
                number(row["bare_ms"], ".0f"),
                number(row["step_ms"], ".0f"),
                f"{100 * float(row['waiting']):.1f} %",
                number(row["overhead"]),
            ]
            for row in read_table(RESULTS / "training-speed.csv")
        ],
    )
