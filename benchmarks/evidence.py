"""Settings of the tables under `benchmarks/results/`."""

from diswot.bench.correlation_run import CorrelationSettings
from diswot.bench.loss_table import LossTableSettings
from diswot.scorers import scorers

SLOW = ("gradsign", "vkdnw", "vkdnw_agg")
"""Not among the published values, and slow: on a thousand cells of their own."""
AGGREGATES = ("diswot", "az_nas", "vkdnw_agg", "logrank(jacov,params)")
"""Scores of the papers, with which `student_fit` is compared."""
OF_IMAGES = tuple(name for name, scorer in scorers().items() if "tokens" not in scorer.card.reads)
"""Those that networks of images give what they read."""
ALL = (
    *OF_IMAGES,
    "rank(semantic,relation)",
    "standard(semantic,relation)",
    "semantic_grad+relation_gram",
    "rank(semantic_grad,relation_gram)",
)
MOST = tuple(name for name in ALL if name not in SLOW)
OF_DISWOT = tuple(
    name for name in ALL if name == "diswot" or "semantic" in name or "relation" in name
)
ONE_PASS = tuple(
    name
    for name, card in ((name, scorers()[name].card) for name in OF_IMAGES)
    if not card.needs_gradients and "noise" not in card.cost
)
"""Scorers that need at most one forward pass of the batch."""
SLOW_ON_TEXTS = ("gradsign", "grasp", "vkdnw", "zico")
"""Scorers that are slow on transformers, run on a sample."""
MAIN_ON_TEXTS = ("student_fit", "student_fit_1", "az_expressivity", "filled_width", "diswot")
"""Scorers that are also measured with five initializations and batches on transformers."""
QUICK_ON_TEXTS = tuple(
    dict.fromkeys(name for name in (*scorers(), *ALL) if name not in SLOW_ON_TEXTS)
)
MOBILE = (
    *("student_fit", "student_fit_1", "diswot", "nwot", "az_expressivity", "swap_reg", "size_ln"),
    *("meco", "zico", "synflow", "snip", "grad_norm", "logrank(jacov,params)"),
)
"""Scorers that are measured on mobile networks."""
OF_NOISE = ("zen", "az_expressivity", "az_progressivity")
"""Scorers that need forward passes of noise."""


def _both(truth: str, batch_size: int) -> list[CorrelationSettings]:
    """Return the comparisons with accuracy after distillation and alone."""
    return [
        CorrelationSettings(truth, ALL, target=target, batch_size=batch_size)
        for target in ("distilled", "vanilla")
    ]


def _unseen(truth: str, target: str, sample: int = 0) -> CorrelationSettings:
    """Return the comparison on a truth that the default score was not selected on."""
    scorers = ("student_fit", "diswot", "nwot", "az_expressivity")
    return CorrelationSettings(
        truth, scorers, target=target, sample=sample, repeats=1, batch_size=32
    )


CORRELATIONS = {
    "digits-s0": _both("digits-s0", 32),
    "resnet-s0": _both("resnet-s0", 32),
    "resnet-s0-ten-repeats": [
        CorrelationSettings("resnet-s0", OF_DISWOT, target="distilled", repeats=10)
    ],
    "autoformer": _both("autoformer", 8),
    "nas-bench-201-slow": [
        CorrelationSettings(
            "nas-bench-201", SLOW, target="cifar10", sample=1000, repeats=1, batch_size=32
        )
    ],
    "nas-bench-201-aggregates": [
        CorrelationSettings(
            "nas-bench-201", AGGREGATES, target="cifar100", sample=1000, repeats=1, batch_size=32
        )
    ],
    "nas-bench-201-all": [
        CorrelationSettings("nas-bench-201", ONE_PASS, target="cifar100", repeats=1, batch_size=32)
    ],
    "nas-bench-201-noise": [
        CorrelationSettings("nas-bench-201", OF_NOISE, target="cifar100", repeats=1, batch_size=8)
    ],
    "nas-bench-macro": [_unseen("nas-bench-macro", "cifar10", 200)],
    "nats-sss": [_unseen("nats-sss", "cifar10", 200)],
    "digits-s0-default": [_unseen("digits-s0", "distilled")],
    "tiny-imagenet-mobile": [
        CorrelationSettings("tiny-imagenet-mobile", MOBILE, repeats=1, batch_size=32)
    ],
    "flexibert": [
        CorrelationSettings("flexibert", QUICK_ON_TEXTS, target="glue", repeats=1, batch_size=16)
    ],
    "flexibert-five-repeats": [
        CorrelationSettings("flexibert", MAIN_ON_TEXTS, target="glue", repeats=5, batch_size=16)
    ],
    "flexibert-slow": [
        CorrelationSettings(
            "flexibert", SLOW_ON_TEXTS, target="glue", sample=60, repeats=1, batch_size=16
        )
    ],
}
"""Settings of the docs' correlation tables; targets of one truth share a folder."""

SEARCHED = ("diswot", "semantic_grad", "nwot", "swap_reg", "size_ln", "params")
SEARCHES: dict[str, tuple[int | None, ...]] = {
    "digits-s0": (None,),
    "resnet-s0": (None,),
    "autoformer": (None,),
    "nas-bench-201-all": (None, 500_000),
}
"""Correlations whose measurements are searched, and the parameters that a candidate may have."""

STUDIED = {
    "digits": LossTableSettings(epochs=20, teacher_epochs=60),
    "cifar100": LossTableSettings(
        data="cifar100", epochs=1, batch_size=32, teacher_epochs=12, precision="bf16"
    ),
}
"""What students are distilled from, and for how long, in the tables of losses and shortlists."""
SHORTLISTED = {"digits": (4, 20), "cifar100": (2, 2)}
"""Students on the shortlists, and the epochs of the last training."""
LOSSES = ("diswot", "diswot-dagger", "ce + at", "ce + sp", "ce + rkd", "ce + dkd", "ce + dist")
"""Compared with `alone`; `diswot` is KD with the weights of the published pairs."""
