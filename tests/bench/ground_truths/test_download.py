"""Downloads of tables: correct, corrupt, truncated and unreachable."""

import hashlib
import importlib.util
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from diswot.bench.ground_truths import DOWNLOADS, MIRROR, Download, fetch, find_truth
from diswot.errors import DataError, MissingExtraError, OptionError

CONTENT = b"arch,acc\n" + b"1-1-1,60\n" * 5000
TABLE = Download("folder/table.csv", hashlib.sha256(CONTENT).hexdigest())


class Server(BaseHTTPRequestHandler):
    """Serves the table under /good, and corrupt versions of it under other names."""

    def do_GET(self) -> None:
        answers = {
            "good": (CONTENT, len(CONTENT)),
            "tampered": (CONTENT.replace(b"60", b"99"), len(CONTENT)),
            "shorter": (CONTENT[:999], 999),
            "cut": (CONTENT[:999], len(CONTENT)),
            "empty": (b"", 0),
        }
        kind, _, path = self.path.lstrip("/").partition("/")
        if kind not in answers or path != TABLE.path:
            self.send_error(404)
            return
        content, length = answers[kind]
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def serving(
    handler: Callable[..., BaseHTTPRequestHandler],
) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    yield from serving(Server)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv(MIRROR, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_file_is_downloaded_once(root: Path, server: str, slash: str) -> None:
    path = fetch(TABLE, root, mirror=f"{server}/good{slash}")
    assert path == root / TABLE.path
    assert path.read_bytes() == CONTENT
    assert files(root) == [path]
    assert fetch(TABLE, root) == path


def test_the_mirror_is_read_from_an_environment_variable(
    root: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRROR, f"{server}/good")
    assert fetch(TABLE, root).read_bytes() == CONTENT


def test_a_public_address_needs_no_mirror(root: Path, server: str) -> None:
    public = Download(TABLE.path, TABLE.sha256, f"{server}/good/{TABLE.path}")
    assert fetch(public, root).read_bytes() == CONTENT


def test_an_existing_file_is_not_downloaded(root: Path) -> None:
    (root / "folder").mkdir()
    (root / TABLE.path).write_text("mine")
    assert fetch(TABLE, root, mirror="http://127.0.0.1:9").read_text() == "mine"


def test_nothing_is_written_to_a_read_only_data_root(root: Path, server: str) -> None:
    root.chmod(0o555)
    path = fetch(TABLE, root, mirror=f"{server}/good")
    assert path.is_relative_to(root.parent / "cache")
    assert fetch(TABLE, root) == path
    assert files(root) == []


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("tampered", "damaged or was tampered with: its SHA-256 is not .* so the file was removed"),
        ("shorter", "damaged or was tampered with"),
        ("empty", "damaged or was tampered with"),
        ("cut", r"could not be fetched \(ChunkedEncodingError\)"),
        ("other", r"could not be fetched \(404 Not Found\)"),
    ],
)
def test_a_file_with_a_wrong_checksum_is_deleted(
    root: Path, server: str, kind: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError, match=why) as caught:
        fetch(TABLE, root, mirror=f"{server}/{kind}")
    assert "\n" not in str(caught.value)
    assert f"{server}/{kind}/{TABLE.path}" in str(caught.value)
    assert files(root) == []
    assert capfd.readouterr() == ("", "")


def test_the_error_names_an_unreachable_server(root: Path) -> None:
    with pytest.raises(DataError, match="check the address and the network") as caught:
        fetch(TABLE, root, mirror="http://127.0.0.1:9")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mirror", ["nowhere", "ftp://a/b", "file:///etc", "http://", "http://[x"])
def test_a_mirror_that_is_not_a_url_is_refused(root: Path, mirror: str) -> None:
    with pytest.raises(OptionError, match="http or https address"):
        fetch(TABLE, root, mirror=mirror)


def test_without_a_mirror_the_error_says_where_to_put_the_file(root: Path) -> None:
    with pytest.raises(DataError, match=f"put it there.*set {MIRROR}") as caught:
        find_truth("resnet-s0", root)
    assert f"there is no resnet-s0/accuracies.csv in the data root {root}" in str(caught.value)


def test_checksums_match_the_tables(shared_data: Path) -> None:
    for download in DOWNLOADS.values():
        content = (shared_data / download.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == download.sha256


def test_ground_truths_are_downloaded_from_a_mirror(root: Path, shared_data: Path) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Log nothing."""

    for address in serving(partial(Quiet, directory=str(shared_data))):
        assert len(find_truth("resnet-s0", root, mirror=address)) == 64
        assert len(find_truth("autoformer", root, mirror=address)) == 100
    assert len(find_truth("resnet-s0", root)) == 64


def test_a_download_without_its_extra_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec

    def without(name: str) -> ModuleSpec | None:
        return None if name == "pooch" else found(name)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'diswot\[bench\]'"):
        fetch(DOWNLOADS["resnet-s0"], tmp_path, mirror="http://127.0.0.1:9")
