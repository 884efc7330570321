"""An installation that nobody may write to, used by somebody without a home."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.xdist_group("packaging")  # one worker builds, for all of these

WITHOUT_RIGHTS = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
"""Root without its capabilities: a file that may not be written cannot be."""


@pytest.fixture
def without_rights() -> list[str]:
    """What to put before a command so that a folder's permissions bind it."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv") or subprocess.run([*WITHOUT_RIGHTS, "true"], check=False).returncode != 0:
        pytest.skip("root's rights cannot be put down here: setpriv does not work")
    return WITHOUT_RIGHTS


BOUND = ["-m", "specproof", "bound", "--draft", "p.npy", "--target", "q.npy", "--num-drafts", "2", "--json"]
LOOP = """
import numpy as np
from specproof.simulations.samplers.inversion import cumulative_shares, invert_after

shares = cumulative_shares(np.stack([np.load("p.npy"), np.load("q.npy")]))
print(invert_after(shares, np.array([0, 1]), np.array([0.25, 0.25])).tolist())
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [(["-c", LOOP], "[0, 1]"), pytest.param(BOUND, '"optimal": 0.86', marks=pytest.mark.slow)],
    ids=["one loop", "those of every verifier"],
)
def test_compiled_loops_run_where_nothing_can_be_written(
    installation: Any, without_rights: list[str], tmp_path: Path, words: list[str], said: str
) -> None:
    (packages,) = installation.folder.glob("lib/python*/site-packages")
    here = tmp_path / "installed"
    shutil.copytree(packages / "specproof", here / "specproof", ignore=shutil.ignore_patterns("__pycache__"))
    np.save(here / "p.npy", np.array([0.5, 0.3, 0.2]))
    np.save(here / "q.npy", np.array([0.2, 0.3, 0.5]))
    for path in [here, *here.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    environment = {**os.environ, "HOME": str(here), "PYTHONPATH": str(here)} | {"XDG_CACHE_HOME": str(here / "cache")}
    command = [*without_rights, installation.python, *words]
    ran = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)
    for path in [here, *here.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert said in ran.stdout
    assert not list(here.rglob("*.nbi")), "machine code was kept: this installation was not read-only"
