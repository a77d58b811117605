"""Trackers: searches and trainings in TensorBoard, MLflow or Weights & Biases."""

from diswot.tracking._track import run_ids, track
from diswot.tracking._tracker import TRACKERS, Tracker, TrackerSource, find_trackers

__all__ = ["TRACKERS", "Tracker", "TrackerSource", "find_trackers", "run_ids", "track"]
