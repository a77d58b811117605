"""Images with texts: data, dual encoders, losses, metrics, and the task."""

from diswot.tasks.image_text._agreement import distance_correlation, neighbor_overlap
from diswot.tasks.image_text._catalog import DATASETS, check_image_text, load_image_text
from diswot.tasks.image_text._dual_encoder import DualEncoder, TrainedDualEncoder
from diswot.tasks.image_text._evaluation import (
    evaluate,
    few_shot_accuracy,
    image_embeddings,
    recall,
)
from diswot.tasks.image_text._image_text_data import ImageTextData
from diswot.tasks.image_text._labeled_images import LabeledImages, Pairs
from diswot.tasks.image_text._losses import (
    embedding_contrast_loss,
    embedding_mse_loss,
    image_text_loss,
    text_ce_loss,
    text_kl_loss,
)
from diswot.tasks.image_text._metrics import Retrieval, ZeroShot
from diswot.tasks.image_text._options import ImageTextOptions
from diswot.tasks.image_text._pairs import ImageTextPairs
from diswot.tasks.image_text._prompts import TEMPLATES, ClassNames
from diswot.tasks.image_text._task import ImageText
from diswot.tasks.image_text._terms import VLM_OOD

__all__ = [
    "DATASETS",
    "TEMPLATES",
    "VLM_OOD",
    "ClassNames",
    "DualEncoder",
    "ImageText",
    "ImageTextData",
    "ImageTextOptions",
    "ImageTextPairs",
    "LabeledImages",
    "Pairs",
    "Retrieval",
    "TrainedDualEncoder",
    "ZeroShot",
    "check_image_text",
    "distance_correlation",
    "embedding_contrast_loss",
    "embedding_mse_loss",
    "evaluate",
    "few_shot_accuracy",
    "image_embeddings",
    "image_text_loss",
    "load_image_text",
    "neighbor_overlap",
    "recall",
    "text_ce_loss",
    "text_kl_loss",
]
