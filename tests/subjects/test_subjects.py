"""The adapters, those of packages that are not installed only where their wheels are in the cache.

Each check is the conformance kit's, at its false-alarm level of 1e-6, cut short: subjects with a known defect must come
out biased, the others must not. What a check could have seen is in its report and, for longer ones, in docs/audit.md.
"""

from __future__ import annotations

import pytest

pytest.importorskip("transformers")

import typer
from typer.testing import CliRunner

from simulations.conformance import Budget, ChainProblem, Unsupported, Verdict, check_sampler
from simulations.conformance.runner import load_function
from simulations.language_models.wheel import Wheel
from subjects import audit, networks
from subjects.adapters import transformers_rule
from subjects.package import load
from subjects.registry import SUBJECTS, Subject
from subjects.repairs import REPAIRS
from theory.chain import TabularModel
from theory.errors import InvalidInput

SECONDS = 3.0
QUICK = ("flashspec", "economize", "lmdeploy", "mtplx", "rotalabs-accel")
"""Fast enough to be told lossless or biased in seconds."""


def by_name(name: str) -> Subject:
    return next(subject for subject in SUBJECTS if subject.name == name)


def test_names_are_unique_and_functions_exist() -> None:
    assert len({subject.name for subject in SUBJECTS}) == len(SUBJECTS)
    for subject in SUBJECTS:
        assert callable(load_function(subject.function))


def test_rule_of_transformers_is_not_called_biased() -> None:
    report = check_sampler(transformers_rule.verify, "chain", budget=Budget(200, 1, 2, 10, 8.0))
    assert report.verdict not in (Verdict.BIASED, Verdict.INVALID), str(report)


@pytest.mark.parametrize("name", QUICK)
def test_verdict_is_the_documented_one(name: str) -> None:
    subject = by_name(name)
    if not subject.is_here:
        pytest.skip(f"{subject.wheels[0].filename} is not in the cache: python -m subjects.audit {name} fetches it")
    report = check_sampler(load_function(subject.function), subject.contract, budget=Budget(1000, 2, 5, 100, SECONDS))
    if subject.cause:
        assert report.verdict == Verdict.BIASED, str(report)
    else:
        assert report.verdict not in (Verdict.BIASED, Verdict.INVALID), str(report)


def test_generate_of_transformers_keeps_the_law_of_a_network_with_a_cache() -> None:
    """Level 1e-9; a text whose probability is off by 0.35 is seen with probability 0.99."""
    result = networks.check(networks.transformers_loop(), trials=100, seed=0, level=1e-9)
    assert not result.is_refuted
    assert result.detectable < 0.35


def test_a_chain_with_memory_has_no_llama() -> None:
    from subjects.adapters.transformers_generate import markov_llama

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


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command()(audit.main)
    return app


@pytest.mark.parametrize("index", [0, 1, 3, 4])
def test_a_repair_ends_as_the_audit_says(index: int) -> None:
    """Only the acceptance of vllm-ascend put back as it was is seen on the kit's ladder."""
    repair = REPAIRS[index]
    subject = by_name(repair.subject)
    if not subject.is_here:
        pytest.skip(f"{subject.wheels[0].filename} is not in the cache: python -m subjects.audit fetches it")
    outcome = repair.outcome(SECONDS)
    assert outcome.startswith("**biased**") == (index == 3), outcome


def test_kit_and_adapter_agree_on_shapes() -> None:
    problem = ChainProblem(TabularModel([[0.5, 0.5]]), TabularModel([[0.2, 0.8], [[0.5, 0.5], [0.1, 0.9]]]))
    import numpy as np

    rng = np.random.default_rng(0)
    emitted = transformers_rule.verify(*problem.inputs(3, rng), rng)
    assert emitted.shape == (3, 2)
