"""What only all problems together refute is told, with the problem that shows it most."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from specproof.conformance import CI, Detector, Verdict, check_sampler
from specproof.conformance.references import token_by_token
from specproof.simulations.samplers.inversion import invert
from specproof.theory.distribution import Array

FEW = replace(CI, candidates=5, small=5, degenerate=5)


def tempered(
    share: float, draft_probs: Array, target_probs: Array, draft_tokens: Array, rng: np.random.Generator
) -> Array:
    """Draw the first token from the target at a higher temperature in a share of the trials, and emit no more."""
    emitted = token_by_token(draft_probs, target_probs, draft_tokens, rng)
    chosen = np.flatnonzero(rng.random(len(emitted)) < share)
    emitted[chosen] = -1
    emitted[chosen, 0] = invert(target_probs[chosen, 0] ** 0.75, rng.random(chosen.size))
    return emitted


@pytest.mark.slow
def test_a_fault_that_no_problem_shows_alone_is_seen_on_all_together() -> None:
    report = check_sampler(partial(tempered, 0.9), budget=FEW, seed=1)
    assert report.verdict is Verdict.BIASED, report
    assert report.findings[0].detector is Detector.LAW
    assert "on all problems together" in report.findings[0].text, report
    assert report.findings[0].problem in report.findings[0].text
    assert check_sampler(partial(tempered, 0.0), budget=FEW, seed=1).findings == ()
