"""Ground truths from users' CSV files."""

from pathlib import Path

from diswot.bench.ground_truths._ground_truth import GroundTruth
from diswot.bench.ground_truths._table import accuracies, check_count
from diswot.csv_table import read_csv
from diswot.search import find_space
from search_spaces import SearchSpace, Signature, TensorSpec

PARAMS = "params"
"""Optional column with the numbers of parameters, which are compared with the networks'."""

IMAGES = Signature((TensorSpec("images", (3, 32, 32)),), 10)


def truth_from_csv(
    path: Path,
    column: str,
    *,
    space: str | SearchSpace,
    data: str,
    arch_column: str = "arch",
    signature: Signature = IMAGES,
) -> GroundTruth:
    r"""Read a ground truth from a CSV file with a header.

    Args:
        path: path of the CSV file, with one row per architecture and at least 10 rows.
        column: column of accuracies, which is the target.
        space: search space of the architectures, or its name.
        data: the dataset to score on.
        arch_column: column of architectures, in the notation of `SearchSpace.to_string`.
        signature: signature of the networks, for a space that is given by name.

    Raises:
        UnknownNameError: the file has no such column, or no space has that name.
        DataError: the file is missing, empty or no CSV; has fewer than 10 rows; or has an
            architecture outside the space or twice, an accuracy that is not a finite number,
            or the same accuracy everywhere. The message names the line.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "mine.csv"
        ...     rows = [f"{a}-{b}-1,{60 + a + b}" for a in (1, 3, 5, 7) for b in (1, 3, 5)]
        ...     _ = path.write_text("\n".join(["arch,acc", *rows]))
        ...     truth = truth_from_csv(path, "acc", space="s0", data="cifar100")
        >>> truth.name, len(truth), truth.accuracies("acc")[:3]
        ('mine', 12, array([62., 64., 66.]))
    """
    table = read_csv(path)
    texts = table.column(arch_column)
    table.column(column)  # a wrong name is reported before errors in the rows
    check_count(path, len(table.rows))
    found_space = find_space(space, signature)
    architectures = table.architectures(texts, found_space)
    targets = {column: accuracies(table, column)}
    space_name = space if isinstance(space, str) else type(space).__name__
    params = table.numbers(PARAMS) if PARAMS in table.columns else None
    return GroundTruth(
        path.stem, found_space, space_name, data, architectures, targets, params=params
    )
