"""Check, before searching and training, that students of the space can be exported."""

import torch
from torch import nn

from diswot.export import dry_export, wanted_forms
from diswot.progress import Progress, message
from diswot.search import find_space
from diswot.seeding import generator_for
from diswot.students import build_student
from search_spaces import SearchSpace, Signature

_TRIES = 5


def check_exportable(
    space: str | SearchSpace, signature: Signature, *, onnx: bool | None, progress: Progress
) -> None:
    """Try to export a random candidate, and report the formats that are not possible.

    Args:
        space: a name, `package.module:Class`, or a space.
        signature: shapes of the networks' inputs and outputs.
        onnx: whether ONNX is required; `None` if it is optional.
        progress: receives a message for each format that is left out.

    Raises:
        ExportError: no format is possible, or not the required one.
        MissingExtraError: ONNX is required and not installed.
        DiswotError: the space does not exist or does not fit.
    """
    wanted = wanted_forms(onnx=onnx)
    candidate = _runnable(find_space(space, signature), signature)
    if candidate is None:  # the search will report what is wrong with its candidates
        return
    for form, reason in dry_export(candidate, signature, wanted=wanted).items():
        note = f"students of this space cannot be exported as {form}, which is left out: {reason}"
        progress(message("export", note))


def _runnable(space: SearchSpace, signature: Signature) -> nn.Module | None:
    """Return the network of a random candidate that can be built and run, or `None`."""
    for number in range(_TRIES):
        try:
            arch = space.sample(generator_for("exported on trial", number))
            network = build_student(space, arch, signature, seed=0)
            with torch.inference_mode():
                network.eval()(*signature.example(2))
        except Exception:  # noqa: BLE001, S112  (some candidates of a space may not work)
            continue
        return network
    return None
