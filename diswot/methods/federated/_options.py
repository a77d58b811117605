"""Options of the method `federated`."""

from pathlib import Path
from typing import Annotated, Any, TypedDict

from diswot.methods.federated._fusion import FUSIONS
from diswot.options import Option

ENGINES = ("local", "flower", "deployment")
"""Where clients run: executors of this package, Flower's simulation, or a Flower deployment."""


class FederatedOptions(TypedDict, total=False):
    """Options of the method `federated`."""

    clients: Annotated[
        int,
        Option(
            "Number of clients among which the training examples are divided.",
            default=8,
            least=2,
            most=10_000,
            group="Training",
            essential=True,
        ),
    ]
    alpha: Annotated[
        float,
        Option(
            "Parameter of the Dirichlet distribution of label mixes; small values give clients "
            "few classes each.",
            default=0.5,
            above=0,
            most=1e6,
            group="Training",
            essential=True,
        ),
    ]
    partition: Annotated[
        str | Path | None,
        Option(
            "Clients' data in place of a random division: a CSV file with the columns client and "
            "index (of a training example) or data (a dataset), and optionally max_params.",
            group="Training",
            essential=True,
        ),
    ]
    local_samples: Annotated[
        int | None,
        Option(
            "Training examples per client; by default all, divided evenly.",
            least=2,
            most=100_000_000,
            group="Training",
        ),
    ]
    public: Annotated[
        Any,
        Option(
            "Dataset whose training examples, without labels, are the public set; by default the "
            "validation examples.",
            group="Training",
            essential=True,
        ),
    ]
    client_params: Annotated[
        Any,
        Option(
            "Parameter limits of the clients, separated by commas and repeated in order, such as "
            "100k,300k; by default the limit of the run for every client.",
            group="Budget",
            essential=True,
        ),
    ]
    fusion: Annotated[
        str,
        Option(
            "How clients' knowledge is fused: by similarity of estimated class distributions "
            "(knfu), as a mean (mean), not at all (local); or average weights (fedavg).",
            default="knfu",
            choices=tuple(FUSIONS),
            group="Training",
            essential=True,
        ),
    ]
    beta: Annotated[
        float,
        Option(
            "Sharpness of the weights of knfu: 0 is the mean, large values are local.",
            default=10.0,
            least=0,
            group="Training",
        ),
    ]
    neighbors: Annotated[
        int | None,
        Option(
            "Most similar clients, including itself, whose knowledge a client receives (knfu); by "
            "default all.",
            least=1,
            most=10_000,
            group="Training",
        ),
    ]
    rounds: Annotated[
        int,
        Option(
            "Rounds of local training, fusion and fine-tuning.",
            default=10,
            least=1,
            most=100_000,
            group="Training",
            essential=True,
        ),
    ]
    local_epochs: Annotated[
        int,
        Option(
            "Epochs on the private examples per round.",
            default=2,
            least=1,
            most=100_000,
            group="Training",
        ),
    ]
    tuning_epochs: Annotated[
        int,
        Option(
            "Epochs of fine-tuning on the public set per round.",
            default=1,
            least=1,
            most=100_000,
            group="Training",
        ),
    ]
    round_timeout: Annotated[
        float | None,
        Option(
            "Seconds after which a round continues without the clients that have not answered; by "
            "default it waits.",
            above=0,
            group="Training",
        ),
    ]
    share_top: Annotated[
        int | None,
        Option(
            "Classes per public example whose probabilities are sent, the highest ones; by "
            "default all.",
            least=1,
            most=1_000_000,
            group="Training",
        ),
    ]
    share_bits: Annotated[
        int,
        Option(
            "Bits of a probability that is sent: 8, 16 or 32.",
            default=32,
            least=8,
            most=32,
            group="Training",
        ),
    ]
    share_noise: Annotated[
        float,
        Option(
            "Standard deviation of Gaussian noise on probabilities that are sent.",
            default=0.0,
            least=0,
            group="Training",
        ),
    ]
    federation: Annotated[
        str,
        Option(
            "Where clients run: in this process, workers or a Dask cluster (local), in Flower's "
            "simulation (flower), or in Flower processes on this machine (deployment).",
            default=ENGINES[0],
            choices=ENGINES,
            group="Run",
            essential=True,
        ),
    ]
    port: Annotated[
        int,
        Option(
            "First port of a deployment on 127.0.0.1; it needs one, and one more per client.",
            default=9091,
            least=1024,
            most=65_000,
            group="Run",
        ),
    ]
