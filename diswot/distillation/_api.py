"""`distill`: a student, a teacher and data in, a trained student out."""

import math
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import nn

from diswot.activations import trial_pass
from diswot.data import ImageData, data_root, load_data
from diswot.devices import find_device
from diswot.distillation._teacher import trained_teacher
from diswot.distillation._training import Recipe, Training, train
from diswot.distillation.losses import find_objective
from diswot.errors import TeacherError
from diswot.progress import Progress, silent
from diswot.run_folder import new_folder
from diswot.students import Origin, origin_of, remember
from diswot.teachers import find_teacher
