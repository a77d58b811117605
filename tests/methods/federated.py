"""A small federation for tests: synthetic images, tiny networks, clients that misbehave."""

import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from diswot.methods import Assignment
from diswot.methods.federated import (
    Answer,
    Client,
    FederatedOptions,
    Federation,
    Request,
    federation_of,
)
from diswot.options import filled
from diswot.search import Budget
from diswot.tasks.images import ImageData, Split
from diswot.tasks.images._image_spec import image_spec
from search_spaces import Architecture, Choice, ChoiceSpace

CLASSES = 4


class TinySpace(ChoiceSpace):
    """Networks with one convolution."""

    hidden = Choice(4, 8, 16)

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, arch.hidden, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(4 * arch.hidden, num_classes),
        )


def images(count: int, seed: int) -> Split:
    """Return images of 1×4×4 whose class is the brightest quarter."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    pixels = torch.randint(0, 120, (count, 1, 4, 4), generator=generator)
    for index, label in enumerate(labels.tolist()):
        row, column = 2 * (label // 2), 2 * (label % 2)
        pixels[index, 0, row : row + 2, column : column + 2] += 100
    return Split(pixels.to(torch.uint8), labels)


def small_data(train: int = 64) -> ImageData:
    """Return data with `train` training, 24 public (val) and 40 test images."""
    training = images(train, 0)
    spec = image_spec(training.images, CLASSES)
    return ImageData("quarters", training, images(24, 1), images(40, 2), spec, flips=False)


def federation(folder: Path, *, data: ImageData | None = None, **own: Any) -> Federation:
    """Return a federation of three clients with small settings; `own` changes them."""
    settings = {"clients": 3, "alpha": 100.0, "rounds": 2, "local_epochs": 1, **own}
    options: dict[str, Any] = {"seed": 0, "learning_rate": 0.05, "augment": "none", "device": "cpu"}
    options["train_batch_size"] = 8
    return federation_of(
        Assignment(
            folder,
            data or small_data(),
            None,
            TinySpace(),
            Budget(),
            options,
            filled(FederatedOptions, settings),
        )
    )


def clients_of(found: Federation) -> dict[str, Client]:
    """Return clients of different architectures, or equal ones with fedavg."""
    sizes = (8,) if found.shares_weights else (4, 8, 16)
    return {
        owner.name: found.client(owner, f"hidden={sizes[index % len(sizes)]}")
        for index, owner in enumerate(found.owners)
    }


@dataclass(frozen=True)
class Misbehaving(Client):
    """A client whose answer to local training is wrong in one way.

    Attributes:
        way: what is wrong.
        until: it answers correctly after this round.
    """

    way: str = ""
    until: int = 1

    @classmethod
    def of(cls, client: Client, way: str, *, until: int = 1) -> "Misbehaving":
        return cls(**vars(client), way=way, until=until)

    def answer(self, request: Request, state: bytes | None) -> Answer:
        wrong = request.phase == "train" and request.number <= self.until
        if wrong and self.way == "raises":
            raise RuntimeError("the disk of the hospital is full")
        if wrong and self.way == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if wrong and self.way == "late":
            time.sleep(600)
        answer = super().answer(request, state)
        if not wrong:
            return answer
        soft = answer.reply.arrays["probabilities"]
        arrays = {"probabilities": self._changed(soft)}
        return replace(answer, reply=replace(answer.reply, arrays=arrays))

    def _changed(self, soft: NDArray[np.float32]) -> NDArray[np.float32]:
        rng = np.random.default_rng(0)
        poisoned = {
            "shape": soft[:, :-1],
            "nan": np.full_like(soft, np.nan),
            "constant": np.tile(soft[:1], (len(soft), 1)),
            "random": rng.dirichlet(np.ones(soft.shape[1]), len(soft)).astype(np.float32),
            "flipped": np.roll(soft, 1, axis=1),
        }
        return poisoned[self.way]
