"""Write a distillation loss and combine it with built-in losses.

The loss trains the student to be as certain of an image as the teacher: it compares the entropies
of their predictions. Once it is registered, it has a name, a default weight and an option, and can
be used in any loss expression. The program trains the same student from the same initialization
with the labels alone, with KD, and with KD and this loss.

    python examples/own_loss.py                     # digits; takes minutes on two CPU cores
    python examples/own_loss.py --data cifar100 --data-root ~/data --epochs 240
    python examples/own_loss.py --small             # takes seconds

The command line also accepts the function without registration. In this folder, run `diswot
distill --arch 1-1-1 --loss "0.1*ce + 0.9*kd + own_loss:sureness(temperature=2)"`.
"""

import argparse

import torch
from torch import Tensor
from torch.nn import functional as F

import diswot
from diswot.losses import Card, TrainingBatch, register
from diswot.networks import Activations
from search_spaces import ResNetDepthSpace


@register(
    Card("sureness", "entropy of the predictions", "an example", weight=0.5, reads=("logits",))
)
def sureness(
    student: Activations, teacher: Activations, _batch: TrainingBatch, *, temperature: float = 1.0
) -> Tensor:
    """Return the mean squared difference between the entropies of the softened predictions."""
    return F.mse_loss(
        entropy(student.output / temperature), entropy(teacher.output.detach() / temperature)
    )


def entropy(logits: Tensor) -> Tensor:
    """Return the entropy of each image's prediction in nats, shape (B,)."""
    logs = F.log_softmax(logits.float(), dim=1)
    return -(logs.exp() * logs).sum(dim=1)


LOSSES = ("ce", "0.1*ce + 0.9*kd(T=4)", "0.1*ce + 0.9*kd(T=4) + sureness(temperature=2)")


def main(*, data: str, data_root: str | None, epochs: int | None, small: bool) -> None:
    """Train one student with each loss."""
    images = diswot.load_data(data, root=data_root)
    space = ResNetDepthSpace(in_channels=images.shape[0])
    for loss in LOSSES:
        torch.manual_seed(0)
        student = space.build(space.from_string("1-1-1"), num_classes=images.num_classes)
        report = diswot.distill(
            student,
            "resnet20" if small else "resnet56",
            data=images,
            data_root=data_root,
            loss=loss,
            epochs=1 if small else epochs,
            teacher_epochs=2 if small else None,
        )
        last = ", ".join(f"{name} {value:.3f}" for name, value in report.history[-1].terms.items())
        print(f"{loss:<40} {report.test}   last epoch: {last}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits", help="Name of a dataset, or folder of images.")
    parser.add_argument("--data-root", help="Folder of the named datasets.")
    parser.add_argument("--epochs", type=int, help="Epochs of each training.")
    parser.add_argument("--small", action="store_true", help="Train for one epoch only.")
    main(**vars(parser.parse_args()))
