"""The adapters, those of packages that are not installed only where their wheels are in the cache.

Each check is the conformance kit's, at its false-alarm level of 1e-6, with few trials: subjects with a known defect
must come out biased, nothing may be found wrong with the others. What a check could have seen is in its report and, for
longer ones, in docs/audit.md.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

import numpy as np
import typer
from typer.testing import CliRunner

from audit import audit, networks
from audit.adapters import transformers_rule
from audit.outcome import kept_outcomes
from audit.package import load
from audit.page import table_page
from audit.registry import SUBJECTS, Subject, find
from audit.repairs import REPAIRS, Repair, keras_hub
from specproof.conformance import Budget, ChainProblem, Unsupported, Verdict, check_sampler
from specproof.conformance.subject.loading import load_function
from specproof.simulations.language_models.wheel import Wheel
from specproof.theory.chain import TabularModel
from specproof.theory.errors import InvalidInput

BUDGET = Budget(first=1000, rounds=2, small=5, degenerate=100, seconds=300.0, candidates=3)
"""Enough to tell the quick subjects lossless, and to find what the repairs undo: counted, so that no load matters."""
SLOW_RULE = replace(BUDGET, first=100, rounds=1, degenerate=25)
"""A rule that is called for each trial: a fraction of the trials, which would show what is grossly wrong."""
SOUND = (Verdict.LOSSLESS, Verdict.INCONCLUSIVE)
"""Nothing was found wrong."""
QUICK = ("flashspec", "economize", "lmdeploy")
"""Fast enough to be told lossless or biased in a second; these and the repairs below are in the gate."""
LATER = ("mtplx", "rotalabs-accel", "sglang-tree", "vllm-temperature-cpp")
"""Told in some seconds."""


AS_THE_AUDIT_SAYS = {
    "the number of tokens is handed over, not the index of the last": (Verdict.CRASHES, *SOUND),
    "the replacement is drawn as published": (Verdict.BIASED,),
    keras_hub.CERTAIN: (Verdict.BIASED,),
    keras_hub.KEPT: (Verdict.BIASED,),
}
"""The first is sound on ordinary problems, the degenerate ones come last; all other repairs are sound."""
IN_THE_GATE = (
    ("rotalabs-accel", "the residual subtracts the whole draft law instead of its entry at the drafted token"),
)
"""One subject whose repair undoes its defect."""


def skip_unless_here(subject: Subject) -> None:
    if not subject.is_here:
        pytest.skip(f"{subject.wheels[0].filename} is not in the cache: python -m audit.audit fetches it")


def test_names_are_unique_and_functions_exist() -> None:
    assert len({subject.name for subject in SUBJECTS}) == len(SUBJECTS)
    for subject in SUBJECTS:
        assert callable(load_function(subject.function))


def test_the_table_is_that_of_the_outcomes() -> None:
    written = (Path(audit.__file__).parents[1] / "docs" / "audit.md").read_text(encoding="utf-8")
    assert written.splitlines() == list(table_page(kept_outcomes()))


@pytest.mark.slow
def test_nothing_is_found_wrong_with_the_rule_of_transformers() -> None:
    report = check_sampler(transformers_rule.verify, "chain", budget=SLOW_RULE)
    assert report.verdict in SOUND, str(report)


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in LATER)])
def test_verdict_is_the_documented_one(name: str) -> None:
    subject = find(name)
    skip_unless_here(subject)
    report = check_sampler(subject.ready(), subject.contract, budget=BUDGET)
    assert report.verdict == (Verdict.BIASED if subject.cause else Verdict.LOSSLESS), str(report)


def test_generate_of_transformers_keeps_the_law_of_a_network_with_a_cache() -> None:
    """Level 1e-9; a text whose probability is off by 0.35 is seen with probability 0.99."""
    result = networks.check(networks.transformers_loop(), trials=100, seed=0, level=1e-9)
    assert not result.is_refuted
    assert result.detectable < 0.35


def test_a_chain_with_memory_has_no_llama() -> None:
    from audit.adapters.transformers_generate import markov_llama

    first, rows = [0.5, 0.5], [[0.5, 0.5], [0.1, 0.9]]
    whole = [[[0.5, 0.5], [0.1, 0.9]], [[0.2, 0.8], [0.1, 0.9]]]
    markov_llama(TabularModel([first, rows]))
    with pytest.raises(Unsupported, match="more than the last token"):
        markov_llama(TabularModel([first, rows, whole]))


def test_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("SPECPROOF_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheel = Wheel("no-such-package-of-ours", "1.0", "no_such_package-1.0-py3-none-any.whl", 1, "0" * 64, "x.py")
    with pytest.raises(InvalidInput, match=r"put no_such_package-1.0-py3-none-any.whl into"):
        load(wheel)


def test_an_unknown_subject_is_one_line() -> None:
    result = CliRunner().invoke(_app(), ["nosuch"])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "'nosuch' is no subject" in result.stderr


def test_a_document_that_cannot_be_written_is_told_before_the_checks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(audit, "run", lambda *_: pytest.fail("the checks began"))
    result = CliRunner().invoke(_app(), ["--out", str(tmp_path)])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert f"cannot write {tmp_path}" in result.stderr


def test_without_torch_the_command_says_how_to_get_it() -> None:
    """In a process of its own, where nothing has imported it yet."""
    code = (
        "import importlib.util, sys; sys.modules['torch'] = None; find = importlib.util.find_spec; "
        "importlib.util.find_spec = lambda name: None if name == 'torch' else find(name); "
        "from typer import run; from audit.audit import main; run(main)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 2, result.stderr
    assert result.stderr == "torch is not installed: run pip install 'specproof[llm]'\n"


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command()(audit.main)
    return app


def repair_of(each: Repair) -> Any:
    """Make a parameter of a repair, of which the gate has one that undoes a defect and one that does not."""
    marks = () if (each.name, each.what) in IN_THE_GATE else pytest.mark.slow
    return pytest.param(each, id=f"{each.name}-{each.what}", marks=marks)


def test_the_gate_has_its_repairs() -> None:
    assert {(each.name, each.what) for each in REPAIRS} >= set(IN_THE_GATE)


@pytest.mark.parametrize("repair", [repair_of(each) for each in REPAIRS if each.problem is None])
def test_a_repair_ends_as_the_audit_says(repair: Repair) -> None:
    skip_unless_here(repair.subject)
    outcome = repair.outcome(SLOW_RULE if repair.subject.slow else BUDGET)
    assert outcome.verdict in AS_THE_AUDIT_SAYS.get(repair.what, SOUND), outcome.evidence


@pytest.mark.parametrize("masked", [False, True])
def test_decoder_is_biased_in_ragged_batches_for_want_of_its_mask(masked: bool) -> None:
    """Level 1e-6; a text whose probability is off by 0.09 is seen with probability 0.99."""
    skip_unless_here(find("speculative-decoding"))
    result = networks.check(networks.decoder_loop(masked=masked), trials=2000, seed=0)
    assert result.is_refuted == (not masked)
    assert result.detectable < 0.09


def test_kit_and_adapter_agree_on_shapes() -> None:
    problem = ChainProblem(TabularModel([[0.5, 0.5]]), TabularModel([[0.2, 0.8], [[0.5, 0.5], [0.1, 0.9]]]))
    rng = np.random.default_rng(0)
    emitted = transformers_rule.verify(*problem.inputs(3, rng), rng)
    assert emitted.shape == (3, 2)
