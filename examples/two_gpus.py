"""Distill one student on two GPUs, with one process per GPU.

Every process runs this file. Each batch is divided between the processes, so the total batch size
is the same as on one device. Gradients are averaged, and each process evaluates a part of the
images. The first process writes the files. Start the program with torchrun or with `accelerate
launch`:

    torchrun --nproc-per-node 2 examples/two_gpus.py --data cifar100 --data-root ~/data --epochs 240
    accelerate launch --num-processes 2 examples/two_gpus.py
    torchrun --nproc-per-node 2 examples/two_gpus.py --small    # two CPU processes; takes seconds

The same works for the command line: `torchrun --nproc-per-node 2 -m diswot distill …`.
"""

import argparse

import torch

import diswot
from diswot.devices import is_first
from search_spaces import ResNetDepthSpace


def main(*, data: str, data_root: str | None, epochs: int | None, out: str, small: bool) -> None:
    """Distill a student with all processes, and export it from the first one."""
    images = diswot.load_data(data, root=data_root)
    space = ResNetDepthSpace(in_channels=images.shape[0])
    torch.manual_seed(0)  # the same initialization in every process
    student = space.build(space.from_string("1-3-1"), num_classes=images.num_classes)
    report = diswot.distill(
        student,
        "resnet20" if small else "resnet56",
        data=images,
        data_root=data_root,
        epochs=1 if small else epochs,
        teacher_epochs=2 if small else None,
        train_batch_size=32 if small else 128,
        precision="single" if small else "bf16",
        device="cpu" if small else None,
        out=f"{out}/distill",
    )
    if is_first():
        exported = diswot.export(student, f"{out}/student", onnx=False if small else None)
        print(f"student: {report.test} on the test split, exported to {exported.folder}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits", help="Name of a dataset, or folder of images.")
    parser.add_argument("--data-root", help="Folder of the named datasets.")
    parser.add_argument("--epochs", type=int, help="Epochs of the distillation.")
    parser.add_argument("--out", default="two-gpus", help="New folder for the results.")
    parser.add_argument("--small", action="store_true", help="Train for one epoch on the CPU.")
    main(**vars(parser.parse_args()))
