"""Measured accuracies of architectures, which scorers have no access to."""

from diswot.bench.ground_truths._catalog import TRUTHS, Loader, find_truth
from diswot.bench.ground_truths._download import DOWNLOADS, MIRROR, Download, fetch
from diswot.bench.ground_truths._embedded import digits_thin_truth, tiny_imagenet_mobile_truth
from diswot.bench.ground_truths._ground_truth import MINIMUM, GroundTruth, Vector
from diswot.bench.ground_truths._official import Conversion, table_from_official
from diswot.bench.ground_truths._residual_networks import digits_s0_truth
from diswot.bench.ground_truths._user_table import truth_from_csv

__all__ = [
    "DOWNLOADS",
    "MINIMUM",
    "MIRROR",
    "TRUTHS",
    "Conversion",
    "Download",
    "GroundTruth",
    "Loader",
    "Vector",
    "digits_s0_truth",
    "digits_thin_truth",
    "fetch",
    "find_truth",
    "table_from_official",
    "tiny_imagenet_mobile_truth",
    "truth_from_csv",
]
