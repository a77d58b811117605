"""Rows of the tables of landmarks."""

from dataclasses import dataclass

from diswot.bench.rank_statistics import Estimate


@dataclass(frozen=True)
class LossRow:
    """A teacher, or the student with one loss.

    Attributes:
        data: name of the data.
        network: `tough`, `tolerant` or `student`.
        loss: name of the loss.
        params: number of parameters.
        epochs: epochs of each training.
        seeds: number of trainings.
        nme: mean error on the test split over the seeds, in percent of the normalizer; of one
            training with its bootstrap interval over images.
        sd: standard deviation over the seeds.
        gain: mean difference of the error to `l2` with the same seed; below 0 is better.
        p: of a paired t-test of that difference, two-sided.
    """

    data: str
    network: str
    loss: str
    params: int
    epochs: int
    seeds: int
    nme: float
    low: float | None = None
    high: float | None = None
    sd: float | None = None
    gain: float | None = None
    p: float | None = None


@dataclass(frozen=True)
class StudentRow:
    """One student of the space.

    Attributes:
        data: its name.
        student: architecture of the student.
        loss: name of the loss.
        nme: error on the test split in percent of the normalizer.
        params: number of parameters.
        macs: multiply-adds of one image.
        student_fit: score before training.
    """

    data: str
    student: str
    loss: str
    nme: float
    params: int
    macs: int
    student_fit: float | None


@dataclass(frozen=True)
class RankRow:
    """Rank correlation of one score with the students' errors.

    Attributes:
        data: its name.
        score: `student_fit`, which is computed without training, `params` or `macs`.
        n: students.
        tau: Kendall's τ-b with the negative error, and its 95 % bootstrap interval.
    """

    data: str
    score: str
    n: int
    tau: Estimate
