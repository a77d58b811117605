"""Score against accuracy, as pictures."""

from pathlib import Path

import matplotlib
import numpy as np

from benchmarks.ground_truths import resnet_s0
from benchmarks.rank_statistics import kendall
from diswot.progress import Progress
from diswot.search import score

matplotlib.use("Agg")
from matplotlib import pyplot as plt

SCORERS = ("diswot", "semantic_grad")


def plot_scores(root: Path, progress: Progress, out: Path) -> None:
    """Draw `score-against-accuracy.png`: S0, two scorers with 10 repeats, and parameters."""
    truth = resnet_s0(root)
    figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharey=True, layout="constrained")
    for axis, name in zip(axes, (*SCORERS, "parameters"), strict=True):
        candidates = score(
            truth.architectures,
            "resnet110",
            space=truth.space,
            data=truth.data,
            data_root=root,
            scorer=SCORERS[0] if name == "parameters" else name,
            repeats=1 if name == "parameters" else 10,
            progress=progress,
        )
        values = np.array([c.params / 1e3 if name == "parameters" else c.score for c in candidates])
        points = axis.scatter(values, truth.accuracies, c=truth.depths, cmap="viridis", s=24)
        tau = kendall(values, truth.accuracies)
        axis.set_title(f"{name}: Kendall τ {tau:.2f}")
        axis.set_xlabel("thousand parameters" if name == "parameters" else "score before training")
    axes[0].set_ylabel("CIFAR-100 accuracy after distillation, %")
    figure.colorbar(points, ax=axes, label="blocks in all stages")
    figure.savefig(out / "score-against-accuracy.png", dpi=120)
    plt.close(figure)
