"""AZ-NAS progressivity: whether each block is more expressive than the one before it."""

from torch import Tensor

from diswot.errors import NetworkError
from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers.az_expressivity import block_entropies


@register(
    Card(
        "az_progressivity",
        "smallest increase of expressivity from one block to the next",
        "Lee and Ham, AZ-NAS, CVPR 2024, equation 5",
        needs_teacher=False,
        cost="one forward pass of noise",
        supports="networks of several blocks; the paper leaves it out for transformers",
    )
)
def az_progressivity(student: Probe, _teacher: Activations) -> Tensor:
    """Return min_{l ≥ 2} (s_l − s_{l−1}), where s_l is the entropy of block l's features.

    Source: Lee and Ham, AZ-NAS, CVPR 2024, equation 5. The entropies are defined
    as in `az_expressivity`.

    Raises:
        NetworkError: the network has only one block, or a block's output is constant.
    """
    entropies = block_entropies(student)
    if len(entropies) < 2:
        raise NetworkError(
            "the network has 1 block, so nothing to progress: az_progressivity needs 2 or more"
        )
    return entropies.diff().min()
