"""Without its extras every command works, or says in one line which extra it needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.xdist_group("packaging")  # one worker builds, for all of these

HIDE = """
import sys
from importlib.machinery import PathFinder

EXTRAS = {"torch", "transformers", "gguf", "safetensors", "accelerate", "platformdirs", "filelock", "distributed",
          "dask", "ortools", "ot"}

class WithoutExtras(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in EXTRAS else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutExtras
"""

EVERY_CLAIM_WITH_MODELS = """
import sys
from specproof.cli import main
from specproof.simulations.claims.registry import CLAIMS

for claim in CLAIMS:
    if claim.needs_models:
        sys.argv = ["specproof", "reproduce", claim.id]
        try:
            main()
        except SystemExit as ended:
            print(claim.id, ended.code)
"""

SAMPLER = """
import numpy as np

def verify(draft_probs, target_probs, draft_tokens, rng):
    emitted = np.full((len(draft_tokens), draft_tokens.shape[1] + 1), -1)
    sums = target_probs[:, 0].cumsum(axis=1)
    emitted[:, 0] = (rng.random((len(sums), 1)) * sums[:, -1:] >= sums).sum(axis=1)
    return emitted
"""


@pytest.fixture
def without_extras(installation: Any, tmp_path: Path) -> Any:
    """A function that runs Python where the extras' packages are not to be found."""
    (tmp_path / "sitecustomize.py").write_text(HIDE)
    (tmp_path / "sampler.py").write_text(SAMPLER)
    np.save(tmp_path / "p.npy", np.array([0.75, 0.25]))

    def run(*words: str) -> Any:
        interpreted = str(int("bound" in words))  # one pair costs less than compiling; a whole check does not
        return installation.run(*words, folder=tmp_path, PYTHONPATH=str(tmp_path), NUMBA_DISABLE_JIT=interpreted)

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--version", "specproof"),
        pytest.param("list", "spectr2023.otm-lp", marks=pytest.mark.slow),
        ("models", "pip install 'specproof[llm]'"),
        ("bound --draft p.npy --target p.npy --json", '"optimal": 1.0'),
        pytest.param("check sampler.py:verify --time-limit 100", "lossless", marks=pytest.mark.slow),
    ],
)
def test_what_works(without_extras: Any, words: str, said: str) -> None:
    ran = without_extras("-m", "specproof", *words.split())
    assert (ran.returncode, ran.stderr) == (0, "")
    assert said in ran.stdout


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        ("check sampler.py:verify --arrays torch", "llm"),
        pytest.param("reproduce real --quick", "llm", marks=pytest.mark.slow),
        pytest.param("reproduce yin2024.theorem2 --scheduler tcp://127.0.0.1:1", "cluster", marks=pytest.mark.slow),
    ],
)
def test_what_names_its_extra(without_extras: Any, words: str, extra: str) -> None:
    ran = without_extras("-m", "specproof", *words.split())
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"pip install 'specproof[{extra}]'" in ran.stderr
    assert ran.stderr.count("\n") == 1


@pytest.mark.slow
def test_every_claim_on_language_models_names_its_extra(without_extras: Any) -> None:
    ran = without_extras("-c", EVERY_CLAIM_WITH_MODELS)
    ended = dict(line.split() for line in ran.stdout.splitlines())
    assert {"real.acceptance", "yin2024.opt-uno"} <= ended.keys()
    assert set(ended.values()) == {"2"}
    assert ran.stderr.count("pip install 'specproof[llm]'") == ran.stderr.count("\n") == len(ended)


@pytest.mark.slow
def test_every_other_claim_is_reproduced(without_extras: Any) -> None:
    listed = json.loads(without_extras("-m", "specproof", "list", "--json").stdout)
    assert listed
    code = (
        "from specproof.simulations.claims.registry import CLAIMS; print(*(c.id for c in CLAIMS if not c.needs_models))"
    )
    claims = without_extras("-c", code).stdout.split()
    ran = without_extras("-m", "specproof", "reproduce", "--quick", *claims)
    assert ran.returncode == 0, ran.stdout + ran.stderr
