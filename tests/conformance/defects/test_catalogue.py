"""The kit on the catalogue: every kind of detector once; ``python -m specproof.conformance.defects`` runs it all."""

from __future__ import annotations

import contextlib
from functools import cache, partial

import pytest
from check_budgets import QUICK

from specproof.conformance.checking import check_sampler
from specproof.conformance.defects import DEFECTS, LOOKALIKES
from specproof.conformance.defects import __main__ as catalogue
from specproof.conformance.defects.__main__ import main, page, row
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.report.finding import Verdict
from specproof.conformance.report.report import Report
from specproof.conformance.stages import state

BY_NAME = {(entry.contract, entry.name): entry for entry in (*DEFECTS, *LOOKALIKES)}


@pytest.mark.parametrize(
    ("contract", "name", "detector", "diagnosis"),
    [
        pytest.param("chain", "always-accepted", "acceptance", "always-accepted", marks=pytest.mark.slow),
        pytest.param("chain", "residual-at-rejected-id", "law", "residual-at-rejected-id", marks=pytest.mark.slow),
        ("chain", "neighbours-target", "batch", None),  # one trial alone is right
        pytest.param("chain", "one-uniform-a-round", "law", "one-uniform-a-round", marks=pytest.mark.slow),
        pytest.param("chain", "inclusive-coarse-uniform", "law", "inclusive-coarse-uniform", marks=pytest.mark.slow),
        ("multi", "own-draw-each", "law", "own-draw-each"),
        pytest.param("generate", "drawn-by-argmax", "law", "drawn-by-argmax", marks=pytest.mark.slow),
        pytest.param("generate", "draft-law-overwritten", "law", "draft-law-overwritten", marks=pytest.mark.slow),
        pytest.param(
            "generate", "siblings-not-renormalised", "law", "siblings-not-renormalised", marks=pytest.mark.slow
        ),
    ],
)
def test_a_biased_sampler_is_caught_and_named(contract, name, detector, diagnosis):
    report = check_sampler(BY_NAME[contract, name].sampler, contract, budget=QUICK)
    assert report.verdict == Verdict.BIASED
    assert detector in {finding.detector for finding in report.findings}
    assert report.instance is not None
    assert (report.diagnosis and report.diagnosis.name) == diagnosis


@pytest.mark.parametrize(
    ("contract", "name", "verdict"),
    [
        ("chain", "emits-after-rejection", Verdict.INVALID),
        ("chain", "padding-as-token", Verdict.INVALID),
        ("generate", "padding-as-index", Verdict.INVALID),
        pytest.param("chain", "mask-on-bonus-alone", Verdict.INVALID, marks=pytest.mark.slow),
        ("chain", "unguarded-residual", Verdict.CRASHES),
    ],
)
def test_a_malformed_output_is_not_called_biased(contract, name, verdict):
    assert check_sampler(BY_NAME[contract, name].sampler, contract, budget=QUICK).verdict == verdict


@pytest.mark.slow
def test_state_that_is_not_counted_is_caught_and_named_where_the_history_matters(monkeypatch):
    entry = BY_NAME["generate", "accepted-not-counted"]
    monkeypatch.setattr(state, "ladder", lambda contract: ladder(contract) | {entry.witness: entry.problem})
    report = check_sampler(entry.sampler, "generate", budget=QUICK)
    assert report.verdict == Verdict.BIASED
    assert report.diagnosis.name == entry.name


def test_a_generator_that_is_not_used_is_noted():
    report = check_sampler(BY_NAME["chain", "seed-ignored"].sampler, budget=QUICK)
    assert report.is_lossless
    assert any(
        "draws from elsewhere, counts its calls, or its threads draw in another order" in note for note in report.notes
    )
    assert not check_sampler(BY_NAME["chain", "seed-ignored"].sampler, budget=QUICK, require_seed=True).is_lossless


def test_the_page_shows_what_was_caught_and_accuses_nobody_else(monkeypatch):
    monkeypatch.setattr(catalogue, "check_sampler", cache(partial(check_sampler, budget=QUICK)))
    defect, exact = BY_NAME["multi", "always-first"], BY_NAME["multi", "recursive-rejection"]
    text, wrong = page((defect,), (exact,))
    assert not wrong
    assert "`always-first`" in text
    assert "0.400" in text
    assert "## Out of reach" in text
    _, wrong = page((exact,), (defect,))
    assert wrong == [exact.name, defect.name]


def test_a_defect_that_the_check_has_no_time_to_see_is_missed_on_the_page(monkeypatch):
    defect = BY_NAME["multi", "always-first"]
    report = Report(defect.name, defect.contract, Verdict.INCONCLUSIVE)
    monkeypatch.setattr(catalogue, "check_sampler", lambda *arguments, **options: report)
    assert page((defect,), ())[1] == [defect.name]


def test_the_page_has_no_distance_for_what_breaks_the_contract():
    defect = BY_NAME["chain", "padding-as-token"]
    cells = row(defect, Report(defect.name, "chain", Verdict.INVALID)).split(" | ")
    assert (cells[4], cells[7]) == ("–", "not made")


@pytest.mark.parametrize("arguments", [["--help"], ["a", "b"]])
def test_the_command_says_how_it_is_called(arguments, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(arguments)
    assert "usage: python -m specproof.conformance.defects" in "".join(capsys.readouterr())
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_told_before_the_checks(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(catalogue, "page", lambda *entries: pytest.fail("checked before the file was tried"))
    with pytest.raises(SystemExit) as caught:
        main([str(tmp_path / "missing" / "page.md")])
    assert caught.value.code == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(("wrong", "code"), [([], None), (["some defect"], "wrong verdict: some defect")])
def test_the_page_is_written_whether_or_not_a_verdict_is_wrong(wrong, code, monkeypatch, tmp_path):
    monkeypatch.setattr(catalogue, "page", lambda *entries: ("the page\n", wrong))
    with pytest.raises(SystemExit) if wrong else contextlib.nullcontext() as caught:
        main([str(tmp_path / "page.md")])
    assert (caught and caught.value.code) == code
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == "the page\n"
