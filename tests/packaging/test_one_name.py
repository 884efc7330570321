"""An installation adds one name: nothing of ours is in the way of a stranger's modules, nor theirs of ours."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

FILES = {
    "simulations/__init__.py": """
        def draw(weights, rng):
            sums = weights.cumsum(axis=1)
            return (rng.random((len(sums), 1)) * sums[:, -1:] >= sums).sum(axis=1)
    """,
    "theory/__init__.py": """
        import numpy as np

        def residual(draft, target):
            return np.maximum(target - draft, 0.0)
    """,
    "figures/__init__.py": "COLOUR = 'red'",
    "engine/__init__.py": "",
    "engine/laws.py": "from theory import residual",
    "engine/absolute.py": """
        import numpy as np
        from engine.laws import residual
        from figures import COLOUR
        from simulations import draw

        def verify(draft_probs, target_probs, draft_tokens, rng):
            emitted = np.full((len(draft_tokens), draft_tokens.shape[1] + 1), -1)
            emitted[:, 0] = draw(target_probs[:, 0], rng)
            return emitted[0]
    """,
    "engine/relative.py": """
        from . import absolute
        from .laws import residual

        def verify(*problem):
            assert residual is absolute.residual
            return absolute.verify(*problem)
    """,
    "script.py": """
        import specproof
        import theory
        from specproof.simulations.samplers.kseq import residual_weights

        assert not hasattr(theory, "errors")
        print(specproof.uniform(2), theory.residual.__module__, residual_weights.__module__)
    """,
}
"""A repository with packages of our folders' names, a verifier which imports from them, and a script."""

FIND = """
import importlib.util, sys
print(*(name for name in sys.argv[1:] if importlib.util.find_spec(name)))
"""


pytestmark = pytest.mark.xdist_group("packaging")  # one worker builds, for all of these


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """Somebody's repository."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return tmp_path


@pytest.mark.parametrize("how", ["installation", pytest.param("editable", marks=pytest.mark.slow)])
def test_no_name_but_ours_can_be_imported(request: pytest.FixtureRequest, tmp_path: Path, how: str) -> None:
    names = ("specproof", "theory", "simulations", "figures", "subjects", "audit", "benchmarks")
    found = request.getfixturevalue(how).run("-c", FIND, *names, folder=tmp_path)
    assert (found.stdout, found.stderr) == ("specproof\n", "")


def test_the_installation_is_used_and_not_the_checkout(installation: Any, tmp_path: Path) -> None:
    found = installation.run("-c", "import specproof.theory; print(specproof.theory.__file__)", folder=tmp_path)
    assert Path(found.stdout.strip()).is_relative_to(installation.folder)


@pytest.mark.parametrize("how", ["installation", pytest.param("editable", marks=pytest.mark.slow)])
def test_a_script_beside_folders_of_our_names_imports_us(
    request: pytest.FixtureRequest, stranger: Path, how: str
) -> None:
    ran = request.getfixturevalue(how).run("script.py", folder=stranger)
    assert (ran.stdout, ran.stderr) == ("[0.5 0.5] theory specproof.simulations.samplers.kseq\n", "")


@pytest.mark.parametrize(
    "module",
    [
        pytest.param("engine.absolute", marks=pytest.mark.slow),
        "engine/absolute.py",
        pytest.param("engine/relative.py", marks=pytest.mark.slow),
    ],
)
def test_a_sampler_that_imports_from_folders_of_our_names_is_checked(
    installation: Any, stranger: Path, module: str
) -> None:
    """It comes to its end, and returns the first trial alone, so that no more than one call of it is checked."""
    checked = installation.run(
        "-m", "specproof", "check", f"{module}:verify", "--time-limit", "100", "--json", folder=stranger
    )
    assert checked.stderr == ""
    report = json.loads(checked.stdout)
    assert (checked.returncode, report["verdict"]) == (1, "invalid output")
    assert "emitted is a ndarray of shape" in report["reason"]


@pytest.mark.slow
def test_workers_import_us_beside_folders_of_our_names(installation: Any, stranger: Path) -> None:
    words = ["-m", "specproof", "reproduce", "yin2024.theorem2", "--jobs", "2"]
    ran = installation.run(*words, folder=stranger)
    assert ran.returncode == 0, ran.stdout + ran.stderr


CLUSTER = """
import sys
from distributed import LocalCluster
from specproof.cli import main

if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        sys.argv += ["reproduce", "yin2024.theorem2", "--scheduler", cluster.scheduler_address]
        main()
"""


@pytest.mark.slow
def test_dask_workers_import_us_beside_folders_of_our_names(installation: Any, stranger: Path) -> None:
    pytest.importorskip("distributed")
    (stranger / "cluster.py").write_text(CLUSTER)
    ran = installation.run("cluster.py", folder=stranger)
    assert ran.returncode == 0, ran.stdout + ran.stderr
