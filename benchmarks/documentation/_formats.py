"""The table of export formats."""

from collections.abc import Mapping

from benchmarks.results_folder import RESULTS
from diswot.bench.tables import markdown, number
from diswot.csv_table import read_table


def formats() -> str:
    """Return accuracy, milliseconds and bytes of the formats, for each student."""
    by_format: dict[str, dict[str, Mapping[str, str]]] = {}
    for row in read_table(RESULTS / "formats.csv"):
        by_format.setdefault(row["format"], {})[row["space"]] = row
    spaces = list(by_format["source"])
    columns = ["format"]
    for space in spaces:
        columns += [f"{space}: accuracy", "ms", "× ONNX", "bytes"]
    return markdown(
        columns,
        [
            [f"`{name}`", *(cell for space in spaces for cell in _cells(found.get(space)))]
            for name, found in by_format.items()
        ],
    )


def _cells(row: Mapping[str, str] | None) -> list[str]:
    if row is None:
        return ["–"] * 4
    accuracy = f"{100 * float(row['accuracy']):.1f} %" if row["accuracy"] else "–"
    return [
        accuracy,
        number(row["milliseconds"], ".3f"),
        number(row["relative"], ".1f"),
        f"{int(row['bytes']):,}",
    ]
