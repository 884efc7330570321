"""The kit on the catalogue: every kind of detector once; ``python -m simulations.conformance.defects`` runs it all."""

from __future__ import annotations

import pytest

from simulations.conformance import check
from simulations.conformance.check import check_sampler
from simulations.conformance.defects import DEFECTS, LOOKALIKES
from simulations.conformance.defects.__main__ import page
from simulations.conformance.ladder import ladder
from simulations.conformance.report import Verdict

BY_NAME = {(entry.contract, entry.name): entry for entry in (*DEFECTS, *LOOKALIKES)}


@pytest.mark.parametrize(
    ("contract", "name", "detector"),
    [
        ("chain", "always-accepted", "acceptance"),
        ("chain", "residual-at-rejected-id", "law"),
        ("chain", "neighbours-target", "batch"),
        ("chain", "one-coin-a-round", "law"),
        ("multi", "own-draw-each", "law"),
        ("generate", "drawn-by-argmax", "law"),
        ("generate", "draft-law-overwritten", "law"),
        ("generate", "siblings-not-renormalised", "law"),
    ],
)
def test_a_biased_sampler_is_caught_and_named(contract, name, detector):
    report = check_sampler(BY_NAME[contract, name].sampler, contract)
    assert report.verdict == Verdict.BIASED
    assert detector in {finding.detector for finding in report.findings}
    assert report.instance is not None
    assert report.diagnosis is None or report.diagnosis.name == name


@pytest.mark.parametrize(
    ("contract", "name", "verdict"),
    [
        ("chain", "emits-after-rejection", Verdict.INVALID),
        ("chain", "padding-as-token", Verdict.INVALID),
        ("generate", "padding-as-index", Verdict.INVALID),
        ("chain", "mask-on-bonus-alone", Verdict.INVALID),
        ("chain", "inclusive-coarse-coin", Verdict.INVALID),
        ("chain", "unguarded-residual", Verdict.CRASHES),
    ],
)
def test_a_malformed_output_is_not_called_biased(contract, name, verdict):
    assert check_sampler(BY_NAME[contract, name].sampler, contract).verdict == verdict


def test_state_that_is_not_counted_is_caught_and_named_where_the_history_matters(monkeypatch):
    entry = BY_NAME["generate", "accepted-not-counted"]
    monkeypatch.setattr(check, "ladder", lambda contract: ladder(contract) | {entry.witness: entry.problem})
    report = check_sampler(entry.sampler, "generate")
    assert report.verdict == Verdict.BIASED
    assert report.diagnosis.name == entry.name


def test_a_generator_that_is_not_used_is_noted():
    report = check_sampler(BY_NAME["chain", "seed-ignored"].sampler)
    assert report.is_lossless
    assert any("draws from elsewhere" in note for note in report.notes)
    assert not check_sampler(BY_NAME["chain", "seed-ignored"].sampler, require_seed=True).is_lossless


def test_the_page_shows_what_was_caught_and_accuses_nobody_else():
    defect, exact = BY_NAME["multi", "always-first"], BY_NAME["multi", "recursive-rejection"]
    text, wrong = page((defect,), (exact,))
    assert not wrong
    assert "`always-first`" in text
    assert "0.400" in text
    assert "## Out of reach" in text
    _, wrong = page((exact,), (defect,))
    assert wrong == [exact.name, defect.name]
