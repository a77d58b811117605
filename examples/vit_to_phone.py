"""Distill a Hugging Face ViT for 224 pixels into a student for phones, and predict with it.

The student has less than 300,000 parameters and takes less than 5 ms for an image on this machine,
in ONNX Runtime if it is installed.
It is exported as ONNX, for OpenVINO and for ExecuTorch or LiteRT, as far as their packages are
installed, and predicts a photo in a process that has only the exported folder.

    python examples/vit_to_phone.py --images photos/ --teacher my-fine-tuned-vit/
    python examples/vit_to_phone.py --small   # draws images and takes a tiny untrained ViT
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from own_images import LABELS, arguments, tiny_images

import diswot
from diswot.cli import main as command_line
from diswot.export import FORMATS
from diswot.runtimes import installed

WANTED = ("onnx", "openvino", "executorch", "litert")
"""Formats of the student, in addition to its source."""


def main(*, images: str, teacher: str, image_size: int, out: str, small: bool) -> None:
    """Search and distill a student, export it in formats for devices, and use it."""
    options: dict[str, Any] = {}
    milliseconds = 5.0
    formats = [name for name in WANTED if installed(FORMATS[name].packages)]
    if small:
        images, teacher = tiny_images(Path("shapes")), tiny_vit(Path("tiny-vit"))
        options = {"population": 4, "generations": 1, "repeats": 1, "epochs": 1, "force": True}
        image_size, milliseconds = 16, 100.0  # so that a slow machine has students, too
    diswot.run(
        teacher,
        "mobile-small",
        data=images,
        image_size=image_size,
        budget=diswot.Budget(params=300_000, latency_ms=milliseconds),
        latency="onnx" if "onnx" in formats else "eager",
        compare=not small,
        onnx=False,
        out=out,
        **options,
    )
    folder = exported(Path(out), formats)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    print(f"student: {config['architecture']}, {config['params']:,} parameters")
    forms = config["forms"]
    for name, form in forms.items():
        accuracy = 100 * form["test_accuracy"]
        print(f"{name}: {accuracy:.1f} %, {form['milliseconds']:.3f} ms, {form['bytes']:,} bytes")
    photo = next(Path(images).rglob("*.png" if small else "*.[jp][pn]*g"))
    for name in forms:
        print(f"{name}: {photo.name} is {predicted(folder, FORMATS[name].file, photo)}")


def exported(run: Path, formats: list[str]) -> Path:
    """Export the student of a run in several formats, as `diswot export` does in a terminal."""
    folder = Path("phone")
    command_line(
        ["export", str(run), "--out", str(folder), "--formats", ",".join(["source", *formats])]
    )
    return folder


def predicted(folder: Path, file: str, photo: Path) -> str:
    """Predict a photo with a copy of the exported folder, in a process without DisWOT."""
    with TemporaryDirectory() as place:
        shutil.copytree(folder, Path(place) / "student")
        shutil.copy(photo, place)
        command = [sys.executable, "-s", "student/predict.py", photo.name, file]
        done = subprocess.run(  # noqa: S603  (this Python)
            command, cwd=place, check=True, capture_output=True, text=True
        )
    return done.stdout.strip().splitlines()[0]


def tiny_vit(folder: Path) -> str:
    """Save a small ViT for 224 pixels in the format of transformers."""
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=224,
        patch_size=32,
        **LABELS,
    )
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 224, "width": 224}).save_pretrained(folder)
    return f"hf:{folder}"


if __name__ == "__main__":
    main(**arguments(__doc__.splitlines()[0], image_size=64))
