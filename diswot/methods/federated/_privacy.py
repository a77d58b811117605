"""What noise on knowledge protects: the ε of the Gaussian mechanism."""

import math
from typing import Any

from diswot.runtimes import require

DELTA = 1e-5
"""δ for which ε is reported."""


def require_accountant() -> None:
    """Make sure that the accountant is installed.

    Raises:
        MissingExtraError: dp-accounting is not installed.
    """
    require(("dp_accounting",), "privacy", "--share-noise")


def epsilon(noise: float, *, samples: int, rounds: int, delta: float = DELTA) -> float:
    """Return the ε of differential privacy for all private examples of a client together.

    A client releases `rounds` times the soft labels of `samples` public examples with Gaussian
    noise. Training is not bounded in any way, so all soft labels may change if the private
    examples do: the L2 sensitivity of one release is √(2 · samples), the largest distance of
    that many pairs of points on the simplex. The privacy loss is composed over rounds by Rényi
    differential privacy (Mironov, CSF 2017), as computed by dp-accounting.

    Args:
        noise: standard deviation of the noise.
        samples: number of public examples.
        rounds: number of releases.
        delta: δ.

    Returns:
        ε; infinite without noise.
    """
    if noise == 0:
        return math.inf
    require_accountant()
    import dp_accounting
    from dp_accounting import rdp

    accountant = rdp.RdpAccountant()
    event = dp_accounting.GaussianDpEvent(noise / math.sqrt(2 * samples))
    accountant.compose(dp_accounting.SelfComposedDpEvent(event, rounds))
    return float(accountant.get_epsilon(delta))


def privacy_of(federation: Any, rounds: int) -> str:
    """Return a sentence on the privacy of what clients sent.

    Args:
        federation: the clients.
        rounds: number of rounds.
    """
    own = federation.assignment.own
    if own["fusion"] == "fedavg":
        return "Weights were sent without noise: no differential privacy (ε is infinite)."
    if own["fusion"] == "local":
        return "Knowledge was sent to compare clients, and was not used."
    if not own["share_noise"]:
        return "Without noise, soft labels have no differential privacy (ε is infinite)."
    value = epsilon(own["share_noise"], samples=federation.shape[0], rounds=rounds)
    return (
        f"Noise of standard deviation {own['share_noise']:g} gives ε = {value:,.4g} at δ = "
        f"{DELTA:g} for all private examples of a client, over {rounds} rounds."
    )
