"""Check on a few examples that a network fits a dataset."""

import inspect
from collections.abc import Sequence
from contextlib import suppress

from torch import Tensor, nn

from diswot.errors import NetworkError
from diswot.networks import trial_pass
from diswot.tasks._task import Dataset

FEATURE_MAPS = "feature maps"
"""Entry of `Task.reads` of tasks whose networks must have a feature map."""


def try_network(
    network: nn.Module,
    inputs: Sequence[Tensor],
    dataset: Dataset,
    *,
    who: str,
    training: bool = False,
) -> None:
    """Make sure that a network accepts the inputs of a dataset and has the right outputs.

    Args:
        network: the network, which is in evaluation mode afterwards.
        inputs: inputs of a few examples, each (B, …), on the device of the network.
        dataset: the dataset.
        who: name of the network in messages.
        training: whether a training step is tried as well, on a copy.

    Raises:
        NetworkError: the network does not fit; the message begins with `who`.
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
    """Make sure that `forward` accepts the number of inputs, which differs between tasks.

    Raises:
        NetworkError: it does not.
    """
    takes = None
    with suppress(TypeError, ValueError):  # callables written in C have no signature
        takes = inspect.signature(network.forward)
    try:
        _ = takes and takes.bind(*inputs)
    except TypeError as error:
        names = ", ".join(takes.parameters if takes else ())
        raise NetworkError(
            f"{who} takes ({names}), but the task {dataset.task.name} gives "
            f"{dataset.signature.describe()}: choose a network for this task"
        ) from error
