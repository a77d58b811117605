"""Uploading a student, to a server that answers as the Hub does."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine

pytestmark = pytest.mark.processes

PUSH = """
import sys
from pathlib import Path
from diswot.errors import DiswotError
from diswot.export import check_repo, push
try:
    check_repo(sys.argv[2])
    print(push(Path(sys.argv[1]), sys.argv[2]))
except DiswotError as error:
    sys.exit(str(error))
"""


class Hub(BaseHTTPRequestHandler):
    """Takes a repository and a commit, and keeps what it was sent."""

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
def hub() -> Iterator[HTTPServer]:
    pytest.importorskip("huggingface_hub")
    Hub.commits, Hub.refuses = [], False
    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def pushed(folder: Path, repo: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Upload a folder in a process whose Hub is named by variables."""
    (folder / "student").mkdir(exist_ok=True)
    (folder / "student" / "README.md").write_text("# A card")
    (folder / "student" / "config.json").write_text("{}")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    return subprocess.run(
        [sys.executable, "-c", PUSH, folder / "student", repo],
        env={**clean, "HF_HOME": str(folder / "hf"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_files_of_a_student_are_uploaded(hub: HTTPServer, tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{hub.server_port}"
    done = pushed(tmp_path, "me/small", HF_ENDPOINT=endpoint, HF_TOKEN="hf_test")
    assert done.stdout.strip() == f"{endpoint}/me/small/commit/a", done.stderr
    rows = [json.loads(line) for line in Hub.commits[0].splitlines()]
    assert [row["value"]["path"] for row in rows[1:]] == ["README.md", "config.json"]


def test_a_refused_upload_says_what_to_do(hub: HTTPServer, tmp_path: Path) -> None:
    Hub.refuses = True
    endpoint = f"http://127.0.0.1:{hub.server_port}"
    done = pushed(tmp_path, "me/small", HF_ENDPOINT=endpoint, HF_TOKEN="hf_test")
    assert done.returncode == 1
    assert "could not be uploaded to me/small" in done.stderr
    assert f"hf upload me/small {tmp_path / 'student'}" in done.stderr


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"HF_HUB_OFFLINE": "1", "HF_TOKEN": "hf_test"}, "unset HF_HUB_OFFLINE"),
        ({}, "run `hf auth login`, or set HF_TOKEN"),
    ],
)
def test_a_hub_out_of_reach_is_named(
    environment: dict[str, str], words: str, tmp_path: Path
) -> None:
    pytest.importorskip("huggingface_hub")
    done = pushed(tmp_path, "me/small", **environment)
    assert done.returncode == 1
    assert words in done.stderr


@pytest.mark.parametrize(
    ("repo", "words"),
    [
        ("small", "Expected the name of a repository to be OWNER/NAME, but got 'small'"),
        ("me/very/small", "to be OWNER/NAME"),
        ("me/sm all", "the Hub takes no repository 'me/sm all'"),
    ],
)
def test_names_that_are_no_repository_are_refused_first(
    repo: str, words: str, cli: CommandLine
) -> None:
    pytest.importorskip("huggingface_hub")
    out = cli("export", "nowhere", "--push-to-hub", repo)
    assert out.code == 2
    assert words in out.err
