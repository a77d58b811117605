"""What a training writes in addition to its checkpoint: weights and the table of metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from diswot.runs.folder import replace_content
from diswot.training._metrics import METRICS, Epoch, metrics_csv

BEST, LAST = "best.safetensors", "last.safetensors"


@dataclass(frozen=True)
class TrainingFiles:
    """The files of a training, each of which is either the old one or the whole new one.

    Attributes:
        folder: where they go; `None` writes nothing.
    """

    folder: Path | None

    def write(
        self, last: Mapping[str, Tensor], best: Mapping[str, Tensor], history: Sequence[Epoch]
    ) -> None:
        """Write what is not there yet, or is damaged.

        Args:
            last: weights of the last epoch.
            best: weights of the best one.
            history: what was measured of the epochs.
        """
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_content(self.folder / BEST, save(dict(best)))
        replace_content(self.folder / LAST, save(dict(last)))
        replace_content(self.folder / METRICS, metrics_csv(history))
