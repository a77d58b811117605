"""Which forms a student can have, found out before anything is trained."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from diswot.errors import DiswotError, ExportError
from diswot.export._forms import Forms
from diswot.export._network import standalone
from diswot.export._wanted import check_possible
from diswot.tasks import Packaging
from search_spaces import Signature


def dry_export(
    student: nn.Module, signature: Signature, *, wanted: Mapping[str, bool]
) -> dict[str, str]:
    """Return the forms that a network cannot have, whatever its weights, with the reasons.

    Every form is written to a temporary folder, and nothing is run in a process of its own.

    Args:
        student: the network.
        signature: what it takes and gives.
        wanted: forms, and whether each was asked for by name.

    Raises:
        ExportError: there is no form that it can have, or one that was asked for is not.
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
