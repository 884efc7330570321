"""Loops whose rows have seeds: each row follows its own, and rows of seeds that follow each other are independent."""

from __future__ import annotations

from typing import Any

import numpy as np
from check_budgets import QUICK

from specproof.conformance import Detector, Verdict, check_sampler
from specproof.conformance.references import speculate
from specproof.conformance.seeded_loops import by_row_seeds, seed_plus_step, stream_of_each_seed


def test_a_loop_that_goes_by_the_seeds_of_its_rows_is_lossless() -> None:
    report = check_sampler(by_row_seeds(stream_of_each_seed), "generate", budget=QUICK, require_seed=True)
    assert report.is_lossless, report
    assert report.reproducible
    assert not report.notes


def test_rows_whose_streams_overlap_are_said_to_depend_on_each_other() -> None:
    report = check_sampler(by_row_seeds(seed_plus_step), "generate", budget=QUICK, require_seed=True)
    assert report.verdict is Verdict.BIASED
    assert report.findings[0].detector is Detector.BATCH
    assert "depend on each other" in report.reason


def test_rows_that_do_not_follow_their_seeds_are_noted_and_a_fault_if_seeds_are_required() -> None:
    def heedless(draft: Any, target: Any, prompt: Any, length: int, n: int, rng: Any, seeds: Any) -> Any:
        return speculate(draft, target, prompt, length, n, np.random.default_rng(int(seeds[0])))

    report = check_sampler(heedless, "generate", budget=QUICK)
    assert report.is_lossless, report
    assert any("rows do not follow their seeds" in note for note in report.notes)
    report = check_sampler(heedless, "generate", budget=QUICK, require_seed=True)
    assert (report.verdict, report.findings[0].detector) == (Verdict.INVALID, Detector.SEED)
