"""Tasks, one package each: data, metrics, teachers and exports of one kind of problem."""

from diswot.tasks._accuracy import Top1, accuracy, paired_difference
from diswot.tasks._batch import Batch
from diswot.tasks._class_balance import check_class_labels, class_labels, class_weights
from diswot.tasks._class_metrics import ClassMetrics, ClassRow
from diswot.tasks._correlation import Matthews
from diswot.tasks._demonstration import Demonstration
from diswot.tasks._difference import Difference, mean_difference
from diswot.tasks._examples import SPLITS, Changes, Examples, SplitName, TrainingBatches
from diswot.tasks._folder_metrics import FolderMetrics, folder_metrics
from diswot.tasks._image_file import fitted, read_image
from diswot.tasks._label_metrics import LabelMetrics, LabelRow, read_class_metrics
from diswot.tasks._macro_f1 import MacroF1
from diswot.tasks._measure import Measure
from diswot.tasks._metric import MOST_AT_ONCE, Metric, values_of
from diswot.tasks._named_data import NamedData, datasets_of
from diswot.tasks._packaging import Packaging, source_of
from diswot.tasks._prediction import Example, Prediction
from diswot.tasks._recorded import read_measures, read_signature, with_measures
from diswot.tasks._root import cache_root, data_root
from diswot.tasks._source import Source
from diswot.tasks._subject import (
    DEFAULT,
    Subject,
    find_subject,
    own_options,
    takes_task_options,
)
from diswot.tasks._task import Dataset, NoOptions, Task
from diswot.tasks._tasks import TASKS, find_task
from diswot.tasks._token_data import TokenData, Tokens, TokenSplit
from diswot.tasks._trial import try_network

__all__ = [
    "DEFAULT",
    "MOST_AT_ONCE",
    "SPLITS",
    "TASKS",
    "Batch",
    "Changes",
    "ClassMetrics",
    "ClassRow",
    "Dataset",
    "Demonstration",
    "Difference",
    "Example",
    "Examples",
    "FolderMetrics",
    "LabelMetrics",
    "LabelRow",
    "MacroF1",
    "Matthews",
    "Measure",
    "Metric",
    "NamedData",
    "NoOptions",
    "Packaging",
    "Prediction",
    "Source",
    "SplitName",
    "Subject",
    "Task",
    "TokenData",
    "TokenSplit",
    "Tokens",
    "Top1",
    "TrainingBatches",
    "accuracy",
    "cache_root",
    "check_class_labels",
    "class_labels",
    "class_weights",
    "data_root",
    "datasets_of",
    "find_subject",
    "find_task",
    "fitted",
    "folder_metrics",
    "mean_difference",
    "own_options",
    "paired_difference",
    "read_class_metrics",
    "read_image",
    "read_measures",
    "read_signature",
    "source_of",
    "takes_task_options",
    "try_network",
    "values_of",
    "with_measures",
]
