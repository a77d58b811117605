"""Whether a network fits a dataset, tried on a few examples before any work."""

from collections.abc import Sequence

from torch import Tensor, nn

from diswot.networks import trial_pass
from diswot.tasks._dataset import Dataset

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
    trial_pass(
        network,
        *inputs,
        outputs=dataset.signature.outputs,
        counted=dataset.task.outputs,
        who=who,
        maps=FEATURE_MAPS in dataset.task.reads,
        training=training,
    )
