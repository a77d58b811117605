"""A teacher and data of your own, from search to an exported student.

Run it anywhere: python own_teacher_and_data.py
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import TensorDataset

import diswot
from search_spaces import ResNetDepthSpace

# Any torch Dataset of (image, class) will do; here 8×8 digits of one channel.
pixels, classes = load_digits(return_X_y=True)
images = torch.from_numpy(pixels).float().view(-1, 1, 8, 8) / 16
data = TensorDataset(images[:600], torch.from_numpy(classes[:600]))

# Any network will do that pools its last feature map and ends in one nn.Linear.
teacher = nn.Sequential(
    nn.Conv2d(1, 32, 3, padding=1),
    nn.BatchNorm2d(32),
    nn.ReLU(),
    nn.Conv2d(32, 64, 3, padding=1),
    nn.BatchNorm2d(64),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(64, 10),
)
trained = diswot.distill(teacher, None, data=data, loss="alone", epochs=10)
print(f"teacher: {trained.test}")

result = diswot.search(
    teacher,
    ResNetDepthSpace((1, 2, 3), widths=(8, 8, 16), in_channels=1),
    data=data,
    budget=diswot.Budget(params=15_000),
    generations=1,
)
print(f"winner of {len(result.candidates)}: {result.best.name}, {result.best.params:,} parameters")

student = result.best.build()
report = diswot.distill(student, teacher, data=data, epochs=10)
print(f"student: {report.test}")

exported = diswot.export(student, "student")
print(f"exported to {exported.folder}: {', '.join(exported.files)}")
