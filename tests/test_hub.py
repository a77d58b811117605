"""Students that `from_pretrained` loads, from a folder and from an imitated Hub."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import diswot
from diswot.errors import CheckpointError, ExportError
from diswot.hub import HubStudent
from diswot.search import find_space
from diswot.students import build_student

IMAGES = torch.randn(3, 1, 16, 16, generator=torch.Generator().manual_seed(0))
COMMIT = "a" * 40


def exported(name: str, text: str, folder: Path) -> nn.Module:
    """Export a student of a built-in space as source; return its network."""
    data = diswot.load_data("digits")
    space = find_space(name, data.signature)
    network = build_student(space, space.from_string(text), data.signature, seed=3).eval()
    diswot.export(network, folder, signature=data.signature, onnx=False)
    return network


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Module]:
    """Return the folder of an exported student, and its network."""
    place = tmp_path_factory.mktemp("hub") / "student"
    return place, exported("s0", "1-1-1", place)


@pytest.mark.processes
@pytest.mark.slow
@torch.no_grad()
def test_a_folder_loads_without_its_code(folder: tuple[Path, nn.Module], tmp_path: Path) -> None:
    place, network = folder
    (place / "student.py").write_text("raise SystemExit('executed')")
    student = HubStudent.from_pretrained(place)
    assert torch.equal(student(IMAGES), network(IMAGES))
    student.save_pretrained(tmp_path / "again")
    again = HubStudent.from_pretrained(tmp_path / "again")
    assert torch.equal(again(IMAGES), network(IMAGES))


class Hub(BaseHTTPRequestHandler):
    """Serves the files of a repository as the Hub does."""

    root: Path

    def do_HEAD(self) -> None:
        self._file()

    def do_GET(self) -> None:
        self.wfile.write(self._file())

    def _file(self) -> bytes:
        path = self.root / self.path.rpartition("/")[2]
        content = path.read_bytes() if path.is_file() else b""
        self.send_response(200 if content else 404)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{path.name}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content

    def log_message(self, *_args: Any) -> None:
        """Print nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, folder: tuple[Path, nn.Module]) -> Iterator[None]:
    """Serve the exported student under any repository name."""
    from huggingface_hub import constants

    Hub.root = folder[0]
    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address, template = f"http://127.0.0.1:{server.server_port}", "HUGGINGFACE_CO_URL_TEMPLATE"
    path = "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, template, address + path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.usefixtures("hub")
@torch.no_grad()
def test_a_repository_loads(folder: tuple[Path, nn.Module], tmp_path: Path) -> None:
    student = HubStudent.from_pretrained("me/small", cache_dir=tmp_path)
    assert torch.equal(student(IMAGES), folder[1](IMAGES))
    assert {path.name for path in tmp_path.rglob(f"{COMMIT}/*")} == {
        "config.json",
        "weights.safetensors",
    }


CONFIG = {
    "architecture": "1-1-1",
    "inputs": [{"name": "images", "shape": [1, 16, 16], "dtype": "float32"}],
    "outputs": 10,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "Sequential"}, "no built-in search space has the architecture 'Seq"),
        ({"architecture": "os:system"}, "no built-in search space"),
        ({"architecture": None}, "has no config.json of a student"),
        ({"inputs": [{"name": "images"}]}, "does not describe inputs"),
        ({"inputs": 3}, "does not describe inputs"),
    ],
)
def test_another_config_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | change))
    with pytest.raises(ExportError, match=message):
        HubStudent.from_pretrained(tmp_path)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    with pytest.raises(CheckpointError, match=r"weights\.safetensors"):
        HubStudent.from_pretrained(tmp_path)
