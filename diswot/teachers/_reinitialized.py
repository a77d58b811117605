"""Randomly initialize a copy of a network that is only given in its trained state."""

import copy
import sys
from typing import cast

from torch import nn

from diswot.errors import TeacherError
from diswot.networks.copies import copied
from diswot.teachers._teacher import OwnView


def reinitialized(network: nn.Module) -> nn.Module:
    """Return a copy with random weights, by each module's `reset_parameters`.

    A Hugging Face model is built again from its configuration instead.

    Raises:
        TeacherError: a module has parameters but no `reset_parameters`.
    """
    transformers = sys.modules.get("transformers")
    if transformers is not None and isinstance(network, transformers.PreTrainedModel):
        return cast(nn.Module, type(network)(copy.deepcopy(network.config)))
    fresh = copied(network)
    if isinstance(fresh, OwnView):
        fresh.network = reinitialized(fresh.network)
        return fresh
    for name, module in fresh.named_modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
        elif any(True for _ in module.parameters(recurse=False)):
            raise TeacherError(
                f"the teacher's module {name or type(module).__name__!r} has parameters but no "
                "reset_parameters, so it cannot be scored at random initialization: "
                "use the trained state (--teacher-state trained)"
            )
    return fresh
