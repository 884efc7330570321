"""Ragged batches and drafts without a law: who is asked, what they are handed, and who is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK
from rounds_alone import found_in_rounds

from specproof.conformance import Budget, ChainProblem, Unsupported, Verdict, check_sampler
from specproof.conformance.defects import DEFECTS
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.references import token_by_token
from specproof.simulations.samplers.inversion import invert
from specproof.theory.chain import TabularModel
from specproof.theory.errors import InvalidInput

TWO = TabularModel([[0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]]])
ONE = TabularModel([[0.5, 0.5]])


def whole_rows(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    """A right sampler that was written for rows of one length and drafts with a law."""
    picked = np.take_along_axis(draft_probs, draft_tokens[..., None], 2)[..., 0]
    wanted = np.take_along_axis(target_probs[:, :-1], draft_tokens[..., None], 2)[..., 0]
    kept = np.cumprod(rng.random(picked.shape) * picked < wanted, axis=1).sum(axis=1)
    residual = np.maximum(target_probs[:, :-1] - draft_probs, 0)
    residual = np.where(residual.sum(axis=-1, keepdims=True) > 0, residual, target_probs[:, :-1])
    laws = np.concatenate([residual, target_probs[:, -1:]], axis=1)[np.arange(len(kept)), kept].cumsum(axis=1)
    last = (laws <= rng.random((len(kept), 1)) * laws[:, -1:]).sum(axis=1)
    places = np.arange(draft_tokens.shape[1] + 1)
    rows = np.where(places == kept[:, None], last[:, None], np.pad(draft_tokens, ((0, 0), (0, 1))))
    return np.where(places <= kept[:, None], rows, -1)


def test_ragged_rows_are_padded_and_drafts_may_have_no_law() -> None:
    problem = ladder("chain")["no draft law, ragged"]
    assert isinstance(problem, ChainProblem)
    inputs = problem.inputs(1000, np.random.default_rng(0))
    assert inputs.draft_probs is None
    assert set((inputs.draft_tokens >= 0).sum(axis=1)) == {0, 1, 2}
    assert ((inputs.draft_tokens[:, 0] >= 0) | (inputs.draft_tokens[:, 1] < 0)).all()
    np.testing.assert_allclose(inputs.target_probs.sum(axis=-1), 1)


def test_a_certain_draft_that_is_taken_where_it_is_the_targets_likeliest_token_is_seen() -> None:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        if draft_probs is None:
            top = target_probs[:, :-1].argmax(axis=-1, keepdims=True) == draft_tokens[..., np.newaxis]
            greedy = np.eye(target_probs.shape[-1])[target_probs[:, :-1].argmax(axis=-1)]
            target_probs[:, :-1] = np.where(top, greedy, target_probs[:, :-1])
        return token_by_token(draft_probs, target_probs, draft_tokens, rng)

    report = check_sampler(verify, budget=QUICK)
    assert report.verdict is Verdict.BIASED, str(report)
    assert "'no draft law, ragged'" in report.reason


def test_a_sampler_that_knows_of_them_is_asked_for_all() -> None:
    report = check_sampler(token_by_token, budget=QUICK)
    assert report.is_lossless
    assert not report.notes


def test_one_that_answers_in_the_same_array_is_asked_for_all() -> None:
    """As engines do whose buffers outlive a call."""
    buffers: dict[tuple[int, ...], Any] = {}

    def verify(*arguments: Any) -> Any:
        emitted = token_by_token(*arguments)
        buffer = buffers.setdefault(emitted.shape, np.empty_like(emitted))
        buffer[:] = emitted
        return buffer

    report = check_sampler(verify, budget=QUICK)
    assert report.is_lossless
    assert not report.notes


def test_one_that_was_written_for_whole_rows_passes_and_is_told_what_was_left_out() -> None:
    report = check_sampler(whole_rows, budget=QUICK)
    assert report.is_lossless, str(report)
    assert any("ragged batches, which were left out (it takes padding for tokens)" in note for note in report.notes)
    assert any("drafts without a law" in note and "NoneType" in note for note in report.notes)


@pytest.mark.parametrize("name", ["greedy-target", "target-overwritten"])
def test_padding_that_is_seldom_taken_for_a_token_does_not_hide_what_else_is_wrong(name: str) -> None:
    """On some problems the padding is never accepted, and on others it breaks the contract in a later call."""
    defect = next(entry for entry in DEFECTS if entry.name == name and entry.contract == "chain")
    report = check_sampler(defect.sampler, budget=Budget(200, 1, 10, 20, 100.0, candidates=2))
    assert report.verdict is Verdict.BIASED, str(report)
    assert any("ragged batches, which were left out (it takes padding for tokens)" in note for note in report.notes)


def never_accepts(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    emitted = np.full((len(draft_tokens), draft_tokens.shape[1] + 1), -1)
    emitted[:, 0] = invert(target_probs[:, 0], rng.random(len(emitted)))
    return emitted


def first_draft_alone(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
    """The first draft is tested, and a row ends there."""
    emitted = np.full((len(draft_tokens), draft_tokens.shape[1] + 1), -1)
    for row, (token, target) in enumerate(zip(draft_tokens[:, 0], target_probs[:, 0], strict=True)):
        uniform, law = rng.random(), target
        if token >= 0:
            draft = np.eye(len(target))[token] if draft_probs is None else draft_probs[row, 0]
            if uniform * draft[token] < target[token]:
                emitted[row, 0] = token
                continue
            uniform, law = rng.random(), np.maximum(target - draft, 0)
        emitted[row, 0] = (law.cumsum() <= uniform * law.sum()).sum()
    return emitted


@pytest.mark.parametrize("verify", [never_accepts, first_draft_alone])
def test_one_that_does_not_look_where_padding_stands_is_not_said_to_take_it_for_tokens(verify: Any) -> None:
    report = check_sampler(verify, budget="ci")
    assert report.is_lossless, str(report)
    assert not any("left out" in note for note in report.notes), report.notes


def test_some_problems_of_a_kind_that_are_left_out_are_named_and_the_others_asked() -> None:
    degenerate = []

    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        if (draft_tokens[:, 2:] < 0).any():
            raise Unsupported("two drafts may be missing")
        degenerate.append((draft_tokens < 0).any() and (target_probs == 0).any())
        return token_by_token(draft_probs, target_probs, draft_tokens, rng)

    report = check_sampler(verify, budget=QUICK)
    kinds = {name: problem.unusual for name, problem in ladder("chain").items()}
    longer = [name for name, kind in kinds.items() if "ragged" in kind and ladder("chain")[name].shape[0] > 2]
    assert longer
    listed = ", ".join(f"'{name}'" for name in longer)
    assert any(note.startswith(f"it does not support {listed}, which w") for note in report.notes), report.notes
    assert any(degenerate)


def test_an_adapter_refuses_them() -> None:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        if draft_probs is None or (draft_tokens < 0).any():
            raise Unsupported("rows have one length here")
        return token_by_token(draft_probs, target_probs, draft_tokens, rng)

    report = check_sampler(verify, budget=QUICK)
    assert report.is_lossless
    assert [note.count("rows have one length here") for note in report.notes] == [1]


def test_a_batch_without_any_draft_that_is_decoded_greedily_is_seen() -> None:
    def verify(draft_probs: Any, target_probs: Any, draft_tokens: Any, rng: Any) -> Any:
        greedy = np.eye(target_probs.shape[-1])[target_probs.argmax(axis=-1)]
        rows = greedy if (draft_tokens < 0).all() else target_probs
        return token_by_token(draft_probs, rows, draft_tokens, rng)

    assert [finding.problem for finding in found_in_rounds(verify, "chain", rounds=1)] == ["ragged, no drafts"]


@pytest.mark.parametrize(
    "name",
    [
        "bonus-past-the-row",
        "nothing-without-drafts",
        *(pytest.param(it, marks=pytest.mark.slow) for it in ("certain-draft-as-uniform", "padding-as-draft")),
    ],
)
def test_what_is_wrong_with_them_alone_is_seen(name: str) -> None:
    defect = next(entry for entry in DEFECTS if entry.name == name)
    report = check_sampler(defect.sampler, budget=QUICK)
    if defect.law is None:
        assert report.verdict is Verdict.INVALID
    else:
        assert report.verdict is Verdict.BIASED
        assert report.diagnosis is not None
        assert report.diagnosis.name == name


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"lengths": [0.5, 0.4]}, "lengths sums to 0.9"),
        ({"lengths": [0.5, 0.25, 0.25]}, r"lengths has shape \(3,\): it must be a law of 0..1"),
        ({"declared": False}, "draft is not certain"),
    ],
)
def test_what_is_no_ragged_problem_is_refused(options: Any, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        ChainProblem(ONE, TWO, **options)
