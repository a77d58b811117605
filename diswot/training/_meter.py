"""Progress reports of a training."""

from collections.abc import Mapping

from diswot.progress import Progress, Step, measured, message


class Meter:
    """Reports every step, so that the remaining time is known before the first epoch ends.

    Args:
        stage: name of the training in reports.
        progress: receives the reports.
    """

    def __init__(self, stage: str, progress: Progress) -> None:
        self._stage, self._progress = stage, progress
        self._done, self._total, self._note = 0, 0, ""

    def begin(self, done: int, total: int) -> None:
        self._done, self._total = done, total

    def tick(self) -> None:
        self._done += 1
        if self._done < self._total:  # the last step is reported with the last epoch's metric
            self._progress(Step(self._stage, self._done, self._total, self._note))

    def note(self, text: str, *, values: Mapping[str, float], epoch: int) -> None:
        """Report the end of an epoch with what was measured."""
        self._note = text
        self._progress(Step(self._stage, self._done, self._total, text, values=values, at=epoch))

    def measured(self, values: Mapping[str, float], *, epoch: int) -> None:
        """Report what was measured after the training."""
        self._progress(measured(self._stage, values, at=epoch))

    def report(self, text: str) -> None:
        self._progress(message(self._stage, text))
