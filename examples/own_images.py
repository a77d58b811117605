"""Distill a Hugging Face image classifier into a student of less than 300,000 parameters.

The folder of images has one folder per class, or folders `train/` and `val/` of class folders. The
teacher is a folder that `save_pretrained` wrote after fine-tuning, or an id of the Hub. The
exported student is in `RUN/student`: source code, weights, ONNX and a model card.

    python examples/own_images.py --images photos/ --teacher my-fine-tuned-vit/
    python examples/own_images.py --small   # draws images and trains a teacher; takes seconds

Images are resized to one size (`--image-size`), the input size of the student. For the teacher
they are resized and normalized as its image processor specifies.
"""

import argparse
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

import diswot

SHAPES = {"disc": "ellipse", "square": "rectangle", "stroke": "line"}
"""Class → name of Pillow's drawing method; drawn with --small."""

LABELS: dict[str, Any] = {
    "id2label": dict(enumerate(sorted(SHAPES))),
    "label2id": {name: number for number, name in enumerate(sorted(SHAPES))},
}
"""Names of the classes, in the configuration of a teacher."""


def main(*, images: str, teacher: str, image_size: int | None, out: str, small: bool) -> None:
    """Search, distill and export a student, and use it."""
    options: dict[str, Any] = {}
    if small:
        images, teacher = tiny_images(Path("shapes")), tiny_teacher(Path("tiny-resnet"))
        diswot.train_teacher(
            teacher, data=images, epochs=4, learning_rate=0.1, augment="none", out="trained"
        )
        options = {
            "teacher_weights": "trained/best.safetensors",
            "population": 4,
            "generations": 1,
            "repeats": 1,
            "epochs": 1,
        }
    report = diswot.run(
        teacher,
        "s0",
        data=images,
        image_size=image_size,
        budget=diswot.Budget(params=300_000),
        compare=not small,
        onnx=False if small else None,
        out=out,
        **options,
    )
    for row in report.rows:
        accuracies = ", ".join(f"{loss} {found}" for loss, found in row.measures.items())
        print(f"{row.label}: {row.name}, {row.costs.params:,} parameters; {accuracies}")
    print(f"exported to {report.exported.folder}: {', '.join(report.exported.files)}")
    use(report.exported.folder)


def use(folder: Path) -> None:
    """Run the exported student, which needs only PyTorch."""
    student = runpy.run_path(str(folder / "student.py"))
    network = student["load"]()
    pixels = torch.randint(256, (1, *student["SHAPE"]))
    probabilities = network(student["normalize"](pixels)).softmax(1)[0]
    print(f"the student runs without DisWOT; it predicts class {probabilities.argmax()} for noise")


def tiny_images(folder: Path) -> str:
    """Draw 32 images of 16×16 pixels for each of three shapes."""
    rng = np.random.default_rng(0)
    for name, method in SHAPES.items():
        (folder / name).mkdir(parents=True)
        for number in range(32):
            image = Image.new("RGB", (16, 16))
            left, top = (int(side) for side in rng.integers(0, 7, 2))
            ink = tuple(int(part) for part in rng.integers(96, 256, 3))
            draw = getattr(ImageDraw.Draw(image), method)
            draw((left, top, left + 8, top + 8), fill=ink)
            image.save(folder / name / f"{number}.png")
    return str(folder)


def tiny_teacher(folder: Path) -> str:
    """Save a ResNet with two stages in the format of transformers."""
    from transformers import ResNetConfig, ResNetForImageClassification, ViTImageProcessor

    torch.manual_seed(0)
    config = ResNetConfig(
        embedding_size=16,
        hidden_sizes=[16, 32],
        depths=[1, 1],
        layer_type="basic",
        **LABELS,
    )
    ResNetForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return f"hf:{folder}"


def arguments(description: str, *, image_size: int | None = None) -> dict[str, Any]:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--images", default="photos", help="Folder of images.")
    parser.add_argument("--teacher", default="teacher", help="Folder or Hub id of the classifier.")
    parser.add_argument(
        "--image-size", type=int, default=image_size, help="Height and width of student inputs."
    )
    parser.add_argument("--out", default="run", help="Run folder.")
    parser.add_argument("--small", action="store_true", help="Use tiny images and a tiny teacher.")
    chosen = vars(parser.parse_args())
    return {**chosen, "teacher": f"hf:{chosen['teacher']}"}


if __name__ == "__main__":
    main(**arguments(__doc__.splitlines()[0]))
