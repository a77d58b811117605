"""Files of a training in addition to its checkpoint: weights and the table of metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from diswot.runs import METRICS
from diswot.runs.folder import replace_content
from diswot.training._metrics import Epoch, metrics_csv

BEST, LAST = "best.safetensors", "last.safetensors"


@dataclass(frozen=True)
class TrainingFiles:
    """Writes the files of a training atomically.

    Attributes:
        folder: folder of the training; `None` writes nothing.
    """

    folder: Path | None

    def write(
        self, last: Mapping[str, Tensor], best: Mapping[str, Tensor], history: Sequence[Epoch]
    ) -> None:
        """Write weights and metrics, unless a file already has this content.

        Args:
            last: state dict of the last epoch.
            best: state dict of the best epoch.
            history: metrics of all epochs.
        """
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_content(self.folder / BEST, save(dict(best)))
        replace_content(self.folder / LAST, save(dict(last)))
        replace_content(self.folder / METRICS, metrics_csv(history))
