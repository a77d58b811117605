"""Uploading a student to a server that imitates the Hugging Face Hub."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from diswot.errors import OptionError, RunError
from diswot.export import check_repo, push
from tests.conftest import CommandLine


class Hub(BaseHTTPRequestHandler):
    """Accepts a repository and a commit, and stores the uploaded files."""

    commits: list[bytes]
    refuses: bool

    def do_POST(self) -> None:
        body, address = self._body(), f"http://{self.headers['Host']}/me/small"
        if self.refuses:
            self._reply({"error": "no room"}, status=403)
        elif "preupload" in self.path:
            paths = [file["path"] for file in json.loads(body)["files"]]
            uploads = [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in paths]
            self._reply({"files": uploads})
        elif "commit" in self.path:
            self.commits.append(body)
            self._reply({"commitUrl": f"{address}/commit/a", "commitOid": "a" * 40})
        else:
            self._reply({"url": address, "errors": [], "warnings": []})

    def do_GET(self) -> None:
        self._reply({})

    def log_message(self, *_args: Any) -> None:
        """Print nothing."""

    def _body(self) -> bytes:
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        body = b""
        while length := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(length)
            self.rfile.readline()
        return body

    def _reply(self, value: object, status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of an imitated Hub with a logged-in user."""
    constants = pytest.importorskip("huggingface_hub.constants")
    Hub.commits, Hub.refuses = [], False
    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture
def student(tmp_path: Path) -> Path:
    """Return a folder with exported files."""
    folder = tmp_path / "student"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "student.pyc").write_bytes(b"left over")
    (folder / "README.md").write_text("# A card")
    (folder / "config.json").write_text("{}")
    return folder


def test_all_files_of_a_student_are_uploaded(hub: str, student: Path) -> None:
    check_repo("me/small")
    assert push(student, "me/small") == f"{hub}/me/small/commit/a"
    rows = [json.loads(line) for line in Hub.commits[0].splitlines()]
    assert [row["value"]["path"] for row in rows[1:]] == ["README.md", "config.json"]


@pytest.mark.usefixtures("hub")
def test_a_refused_upload_says_what_to_do(student: Path) -> None:
    Hub.refuses = True
    with pytest.raises(RunError, match="could not be uploaded to me/small") as error:
        push(student, "me/small")
    assert str(error.value).endswith(f"hf upload me/small {student}")


@pytest.mark.usefixtures("hub")
def test_the_error_names_an_unreachable_hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(OptionError, match="unset HF_HUB_OFFLINE"):
        check_repo("me/small")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(OptionError, match="run `hf auth login`, or set HF_TOKEN"):
        check_repo("me/small")


@pytest.mark.parametrize(
    ("repo", "words"),
    [
        ("small", "Expected the name of a repository to be OWNER/NAME, but got 'small'"),
        ("me/very/small", "to be OWNER/NAME"),
        ("me/sm all", "the Hub refused the repository 'me/sm all'"),
    ],
)
def test_invalid_repository_names_are_refused_first(
    repo: str, words: str, cli: CommandLine
) -> None:
    pytest.importorskip("huggingface_hub")
    out = cli("export", "nowhere", "--push-to-hub", repo)
    assert out.code == 2
    assert words in out.err
