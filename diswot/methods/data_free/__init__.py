"""Distillation without the training data of the teacher."""

from diswot.methods.data_free._generator import ImageGenerator
from diswot.methods.data_free._mixtures import taking_mixtures
from diswot.methods.data_free._noise import InputStatistics, input_statistics
from diswot.methods.data_free._objectives import OBJECTIVES, GeneratorObjective, dafl, zskt
from diswot.methods.data_free._options import SAMPLES, DataFreeOptions
from diswot.methods.data_free._run import LOSS, DataFreeRun
from diswot.methods.data_free._tokens import TokenGenerator, embedding_statistics
from diswot.methods.data_free._training import DataFreeMethod

__all__ = [
    "LOSS",
    "OBJECTIVES",
    "SAMPLES",
    "DataFreeMethod",
    "DataFreeOptions",
    "DataFreeRun",
    "GeneratorObjective",
    "ImageGenerator",
    "InputStatistics",
    "TokenGenerator",
    "dafl",
    "embedding_statistics",
    "input_statistics",
    "taking_mixtures",
    "zskt",
]
