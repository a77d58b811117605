"""Whether a network fits a dataset, tried on a few examples before any work."""

import inspect
from collections.abc import Sequence
from contextlib import suppress

from torch import Tensor, nn

from diswot.errors import NetworkError
from diswot.networks import trial_pass
from diswot.tasks._task import Dataset

FEATURE_MAPS = "feature maps"
"""What a task reads whose networks must show some."""


def try_network(
    network: nn.Module,
    inputs: Sequence[Tensor],
    dataset: Dataset,
    *,
    who: str,
    training: bool = False,
) -> None:
    """Make sure that a network takes inputs of a dataset and gives what its task reads.

    Args:
        network: is in evaluation mode afterwards.
        inputs: of a few examples, each (B, …), on the device of the network.
        dataset: what they are of.
        who: what the network is called in messages.
        training: whether it must be possible to train it too, which is tried on a copy.

    Raises:
        NetworkError: it does not; the message begins with `who`.
    """
    _check_inputs(network, inputs, dataset, who)
    trial_pass(
        network,
        *inputs,
        outputs=dataset.signature.outputs,
        counted=dataset.task.outputs,
        who=who,
        maps=FEATURE_MAPS in dataset.task.reads,
        training=training,
    )


def _check_inputs(network: nn.Module, inputs: Sequence[Tensor], dataset: Dataset, who: str) -> None:
    """Make sure that a network takes as many inputs as there are, as those of other tasks do not.

    Raises:
        NetworkError: it does not.
    """
    takes = None
    with suppress(TypeError, ValueError):  # what is not of Python has no signature
        takes = inspect.signature(network.forward)
    try:
        _ = takes and takes.bind(*inputs)
    except TypeError as error:
        names = ", ".join(takes.parameters if takes else ())
        raise NetworkError(
            f"{who} takes ({names}), but the task {dataset.task.name} gives "
            f"{dataset.signature.describe()}: choose one made for it"
        ) from error
