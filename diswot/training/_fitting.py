"""Whether a network fits the data."""

from torch import nn

from diswot.networks import trial_pass
from diswot.tasks.images import ImageData


def check_takes(network: nn.Module, data: ImageData, who: str, *, training: bool = False) -> None:
    """Make sure that `network` takes the images and has the classes of `data`.

    Args:
        network: is in evaluation mode afterwards.
        data: what it is for.
        who: what it is called in messages.
        training: whether it is to be trained, which is tried on a copy.

    Raises:
        NetworkError: it does not; the message begins with `who`.
    """
    device = next((p.device for p in network.parameters()), None)
    images = data.normalise(data.train.images[:2]).to(device)
    trial_pass(network, images, outputs=data.num_classes, who=who, training=training)
