"""The sample script preprocesses a photo as in training."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import diswot
from diswot.export import Exported
from diswot.tasks.images import ImageData, ImageSpec, Split, read_image
from tests.export.photos import CLASSES
from tests.forked import run_programs

pytestmark = pytest.mark.processes

FILES = ("student.py", "student.pt2", "student.onnx")
IMPORTS = "torch,onnxruntime,PIL.Image"


def photo(folder: Path, kind: str) -> Path:
    """Write a photo that is large, rotated by its EXIF data, transparent, gray or 16-bit."""
    generator = np.random.default_rng(1)
    small = Image.fromarray(generator.integers(0, 256, (9, 7, 3)).astype(np.uint8))
    image, path = small.resize((350, 460), Image.Resampling.BICUBIC), folder / f"{kind}.png"
    if kind == "turned":
        exif = Image.Exif()
        exif[0x0112] = 6
        path = folder / "turned.jpg"
        image.save(path, exif=exif, quality=90)
    elif kind == "transparent":
        image.putalpha(image.convert("L"))
        image.save(path)
    elif kind == "gray":
        image.convert("L").save(path)
    else:
        values = np.asarray(image.convert("L")).astype(np.uint16) * 257
        Image.fromarray(values).save(path)
    return path


def test_the_script_predicts_the_same_class_as_the_network(
    exported: tuple[nn.Module, ImageData, Exported], tmp_path: Path
) -> None:
    network, data, done = exported
    paths = [photo(tmp_path, kind) for kind in ("turned", "transparent", "gray", "16 bits")]
    expected = []
    for path in paths:
        pixels = torch.from_numpy(read_image(path, data.shape))[None]
        with torch.inference_mode():
            shares = network.eval()(data.normalize(pixels)).softmax(1)[0]
        expected += [(0, f"{CLASSES[int(shares.argmax())]} {float(shares.max()):.1%}")] * len(FILES)
    assert run(done.folder, *((path, file) for path in paths for file in FILES)) == expected


@pytest.fixture(name="clean", scope="module")
def fixture_clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the only packages that `run_alone` finds: numpy and Pillow."""
    folder = tmp_path_factory.mktemp("packages")
    for package in ("numpy", "PIL"):
        link(folder, package)
    return folder


def link(folder: Path, package: str) -> None:
    """Link a package, and the libraries that its wheel contains, into a folder."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).parent
    (folder / package).symlink_to(source)
    for libraries in source.parent.glob(f"{'pillow' if package == 'PIL' else package}.libs"):
        (folder / libraries.name).symlink_to(libraries)


def run_alone(packages: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a script with the packages of one folder only."""
    return subprocess.run(
        [sys.executable, "-S", *map(str, arguments)],
        env={"PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_needs_only_the_runtime_of_one_format(
    exported: tuple[nn.Module, ImageData, Exported], clean: Path, tmp_path: Path
) -> None:
    script, path = exported[2].folder / "predict.py", photo(tmp_path, "gray")
    without = run_alone(clean, script, path)
    assert (without.returncode, without.stderr) == (
        1,
        "student.py needs torch, which is not installed: pip install torch\n",
    )
    link(clean, "onnxruntime")
    found, expected = run_alone(clean, script, path), run(script.parent, (path, "student.onnx"))
    assert [(found.returncode, found.stdout.strip())] == expected
    asked = run_alone(clean, script, path, "student.pt2")
    assert asked.stderr.startswith("student.pt2 needs torch, which is not installed")


def test_preprocessed_values_are_bit_identical(
    exported: tuple[nn.Module, ImageData, Exported], tmp_path: Path
) -> None:
    _, data, done = exported
    path = photo(tmp_path, "turned")
    program = (
        f"import sys; sys.path.insert(0, {str(done.folder)!r}); import predict, numpy, pathlib; "
        f"values = predict.read_values(pathlib.Path({str(path)!r})); "
        f"numpy.save({str(tmp_path / 'seen.npy')!r}, predict.normalize(values))"
    )
    (ended,) = run_programs([("-c", program)], imports=IMPORTS)
    assert ended.status == 0, ended.err
    expected = data.normalize(torch.from_numpy(read_image(path, data.shape))[None])
    assert np.array_equal(np.load(tmp_path / "seen.npy"), expected.numpy())


def test_the_config_describes_the_preprocessing(
    exported: tuple[nn.Module, ImageData, Exported],
) -> None:
    _, data, done = exported
    config = json.loads((done.folder / "config.json").read_text())
    found = config["preprocessing"]
    assert config["classes"] == list(CLASSES)
    assert (found["color"], found["crop"], found["layout"]) == ("RGB", "center", "NCHW")
    assert found["value_range"] == [0.0, 255.0]
    assert (found["mean"], found["std"]) == (list(data.spec.mean), list(data.spec.std))
    assert {name: found["resize"][name] for name in ("height", "width", "interpolation")} == {
        "height": 20, "width": 24, "interpolation": "bilinear"
    }  # fmt: skip
    card = (done.folder / "README.md").read_text()
    for words in ("| color | RGB |", "bilinear", "| crop | center |", ", ".join(CLASSES)):
        assert words in card


def test_data_that_are_not_pixels_are_read_as_arrays(tmp_path: Path) -> None:
    images = torch.randn(30, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    split = Split(images, torch.arange(30) % 3)
    data = ImageData("numbers", split, split, split, ImageSpec((1, 4, 4), 3, (0.0,), (1.0,), 1.0))
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    done = diswot.export(network, tmp_path / "s", data=data, onnx=False)
    np.save(tmp_path / "one.npy", images[0].numpy())
    (tmp_path / "photo.png").touch()
    found = int(network(data.normalize(images[:1])).argmax())
    (taken, printed), (refused, message) = run(
        done.folder, (tmp_path / "one.npy", "student.py"), (tmp_path / "photo.png", "student.py")
    )
    assert (taken, refused) == (0, 1)
    assert printed.startswith(f"{found} ")
    assert "give an array" in message


def run(folder: Path, *arguments: tuple[Path, str]) -> list[tuple[int, str]]:
    """Return the exit status and output of the script for each set of arguments."""
    programs = [(folder / "predict.py", *each) for each in arguments]
    ended = run_programs(programs, imports=IMPORTS)
    return [
        (each.status, (each.err if each.status else each.out).decode().strip()) for each in ended
    ]
