"""Find out before training which formats are possible for a student."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from diswot.errors import DiswotError, ExportError
from diswot.export._forms import Forms
from diswot.export._network import standalone
from diswot.export._requested_formats import check_possible
from diswot.tasks import Packaging
from search_spaces import Signature


def dry_export(
    student: nn.Module, signature: Signature, *, wanted: Mapping[str, bool]
) -> dict[str, str]:
    """Try to write all formats into a temporary folder, without running them.

    Args:
        student: the network, with any weights.
        signature: shapes of its inputs and outputs.
        wanted: for each format, whether it was requested by name.

    Returns:
        Reasons for formats that are not possible, by name.

    Raises:
        ExportError: no format is possible, or a requested one is not.
    """
    left_out, packaging = {}, Packaging(signature)
    with tempfile.TemporaryDirectory() as folder:
        try:
            forms = Forms(standalone(student), Path(folder), packaging, architecture="dry")
        except DiswotError as error:
            raise ExportError(f"the student cannot be exported: {error}") from error
        for name in wanted:
            try:
                forms.write(name)
            except ExportError as error:
                left_out[name] = str(error)
    check_possible(wanted, left_out)
    return left_out
