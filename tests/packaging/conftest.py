"""The distribution, built from a copy of the checkout without a network, and an installation of it elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
BUILD = "import setuptools.build_meta as backend, sys; print(getattr(backend, 'build_' + sys.argv[1])(sys.argv[2]))"


def _run(words: list[str | Path], folder: Path) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout that may be built in, with its links and without what git does not keep."""
    copy = tmp_path_factory.mktemp("checkout") / "specproof"
    ignored = shutil.ignore_patterns(".git", ".venv*", ".*_cache", "__pycache__", "results*", "build", "*.egg-info")
    shutil.copytree(CHECKOUT, copy, symlinks=True, ignore=ignored)
    return copy


@pytest.fixture(scope="session")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    _run([sys.executable, "-c", BUILD, "sdist", folder], checkout)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution."""
    unpacked, folder = tmp_path_factory.mktemp("unpacked"), tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    _run([sys.executable, "-c", BUILD, "wheel", folder], source)
    (built,) = folder.iterdir()
    return built


@dataclass(frozen=True)
class Installation:
    """A virtual environment that has the wheel, and the dependencies of the environment that runs the tests."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def run(self, *words: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run its Python in a folder, where nothing but the installation says where our modules are."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [self.python, *words]
        return subprocess.run(
            command, cwd=folder, env=kept | environment, capture_output=True, text=True, check=False, timeout=1200
        )


def _environment(folder: Path, what: list[str | Path]) -> Installation:
    """Make an environment, install into it what pip is told to, and lend it the dependencies of this one.

    Python does not read the path files of a folder that a path file names: an editable installation here is not lent.
    """
    venv.create(folder, symlinks=True)
    installation = Installation(folder)
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--python",
        installation.python,
    ]
    lent = [path for path in sys.path if path.endswith("site-packages")]
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "lent.pth").write_text("\n".join(lent))
    _run([*pip, "install", "--quiet", "--no-index", "--no-deps", "--ignore-installed", *what], folder)
    return installation


@pytest.fixture(scope="session")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel, installed."""
    return _environment(tmp_path_factory.mktemp("installed"), [wheel])


@pytest.fixture(scope="session")
def editable(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The copy of the checkout, installed to be edited."""
    return _environment(tmp_path_factory.mktemp("editable"), ["--no-build-isolation", "--editable", checkout])
