"""Whole decoding loops with real transformers models, against laws enumerated without a cache.

Each test states the smallest bias it sees with probability 0.99; seeds are fixed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from decoded_laws import (
    FALSE_ALARM,
    PROMPTS,
    ROWS,
    Array,
    T,
    V,
    allowance,
    assert_target_laws,
    distance,
    ends_properly,
    expected_rejections,
    joint_law,
    laws_along,
)

from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.decoding_run import DecodingRun
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.language_models.model import CachedModel
from specproof.simulations.language_models.round_rule import LevelTest, Round, Selected
from specproof.simulations.language_models.uniforms import Uniforms
from specproof.simulations.language_models.walking import sample_target, walk_target
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.selection import Selection, SelectionSampler
from specproof.simulations.samplers.single import verify
from specproof.theory.errors import InvalidInput


def decode_all(pair: Any, draft_length: int, bonus: bool, verifier: SelectionSampler = verify) -> DecodingRun:
    """Every prompt ``ROWS`` times in one batch, in turn."""
    return speculative_decode(
        pair, PROMPTS * ROWS, T, draft_length, LevelByLevel(verifier, bonus=bonus), np.random.default_rng(7)
    )


OTHER_ROUNDS = [(1, False), (2, False), (2, True), (3, True)]
"""Lengths of drafts, with a bonus token or without."""


def test_the_tests_below_have_power(pair: Any) -> None:
    """A bias of d is seen with probability 0.99 where d >= allowance + sqrt(ln(100) / 2n), here 0.1 or less."""
    for prompt in PROMPTS:
        law = joint_law(pair.target, prompt)
        assert allowance(law, ROWS) + np.sqrt(np.log(100) / (2 * ROWS)) < 0.1
        assert law.sum() == pytest.approx(1, abs=1e-12)
        assert 0.2 < expected_rejections(pair, prompt) / T < 0.8
        assert 0.5 * np.abs(joint_law(pair.draft, prompt) - law).sum() > 0.3


@pytest.mark.parametrize(
    ("draft_length", "bonus"),
    [(1, True), (3, False), *(pytest.param(*other, marks=pytest.mark.slow) for other in OTHER_ROUNDS)],
)
def test_three_tokens_follow_the_targets_joint_law_and_the_tests_are_counted(
    pair: Any, draft_length: int, bonus: bool
) -> None:
    """False alarm 1e-7 for each prompt; the rejection counts are sums of n martingales with increments in [-1, 1]."""
    run = decode_all(pair, draft_length, bonus)
    assert run.tokens.min() >= 0
    assert_target_laws(pair, run.tokens)
    check_records(run, draft_length, bonus)
    # Azuma-Hoeffding: |sum of N increments in an interval of length 1| exceeds this with probability 2e-7. A tested
    # position whose rejection probability is off by 0.013 on average is seen with probability 0.99.
    tests = len(run.rejected)
    assert abs(run.rejections - run.expected_rejections) <= np.sqrt(tests * np.log(1 / FALSE_ALARM) / 2)
    if not bonus:
        assert tests == run.tokens.size
        exact = ROWS * sum(expected_rejections(pair, prompt) for prompt in PROMPTS)
        # Hoeffding over independent sequences with counts in [0, T]: false alarm 2e-7, a shift of 0.066 in E[N] of a
        # sequence is seen with probability 0.99.
        slack = T * np.sqrt(len(run.tokens) * np.log(1 / FALSE_ALARM) / 2)
        assert abs(run.rejections - exact) <= slack
        assert abs(run.expected_rejections - exact) <= slack


def check_records(run: DecodingRun, draft_length: int, bonus: bool) -> None:
    """Identities that hold for any run without end-of-text tokens."""
    np.testing.assert_array_equal(run.emitted, run.tokens[run.text, run.position])
    np.testing.assert_array_equal(run.emitted[~run.rejected], run.drafted[~run.rejected])
    assert (run.emitted != run.drafted)[run.rejected].all()
    assert run.round_tested.sum() == len(run.rejected)
    assert run.round_accepted.sum() == (~run.rejected).sum()
    assert run.round_emitted.sum() == (run.tokens >= 0).sum()
    bonus_tokens = run.round_emitted - run.round_tested
    assert set(np.unique(bonus_tokens)) <= ({0, 1} if bonus else {0})
    assert (run.round_accepted[bonus_tokens == 1] == draft_length).all()
    assert (bonus_tokens == 1).any() == (bonus and draft_length < T)
    np.testing.assert_array_equal(run.target_calls, np.bincount(run.round_text, minlength=len(run.tokens)))
    assert run.block_efficiency == pytest.approx(run.tokens.size / run.target_calls.sum())
    assert run.mean_accepted_length == pytest.approx((~run.rejected).sum() / run.target_calls.sum())


def largest_error_of_tv(pair: Any, run: DecodingRun) -> float:
    """How far any recorded distance is from that of the laws given the text before, found without a cache."""
    texts = [PROMPTS[row % len(PROMPTS)] + tokens.tolist() for row, tokens in enumerate(run.tokens)]
    laws = [(laws_along(pair.draft, [text])[0], laws_along(pair.target, [text])[0]) for text in texts]
    exact = [0.5 * np.abs(draft - target).sum(axis=-1) for draft, target in laws]
    first = [len(PROMPTS[row % len(PROMPTS)]) - 1 for row in range(len(texts))]
    tests = zip(run.text, run.position, run.tv, strict=True)
    errors = [abs(tv - exact[row][first[row] + position]) for row, position, tv in tests]
    return float(max(errors))


@pytest.mark.parametrize("bonus", [False, True])
def test_long_ragged_decodes_keep_both_caches_right(pair: Any, bonus: bool) -> None:
    """Ten times the horizon of the tests of the law: a cache that has slipped shows in the recorded distances."""
    run = speculative_decode(pair, PROMPTS * 6, 30, 4, LevelByLevel(bonus=bonus), np.random.default_rng(8))
    assert (run.tokens >= 0).all()
    assert len(set(run.target_calls.tolist())) > 1
    assert largest_error_of_tv(pair, run) < 1e-5


@pytest.mark.parametrize("cache", ["draft", "target"])
def test_a_cache_that_forgets_nothing_is_seen(pair: Any, monkeypatch: pytest.MonkeyPatch, cache: str) -> None:
    forget = CachedModel.forget
    faulty = getattr(pair, cache)
    monkeypatch.setattr(CachedModel, "forget", lambda self, n: None if self.model is faulty else forget(self, n))
    run = speculative_decode(pair, PROMPTS * 6, 30, 4, LevelByLevel(), np.random.default_rng(8))
    assert largest_error_of_tv(pair, run) > 0.05


def test_what_is_measured_belongs_to_the_tests_it_is_listed_with(pair: Any) -> None:
    def measure(test: LevelTest) -> dict[str, Array]:
        size = np.full(len(test.draft), float(test.draft.shape[1]))
        return {"tv": 0.5 * np.abs(test.draft - test.target).sum(axis=-1), "tokens": size}

    prompts = [[1, 2], [3], [4, 5, 6]]
    runs = [
        speculative_decode(pair, prompts, 9, 3, LevelByLevel(), np.random.default_rng(5), measure=each)
        for each in (measure, None)
    ]
    assert np.array_equal(runs[0].tokens, runs[1].tokens)
    np.testing.assert_allclose(runs[0].measured["tv"], runs[0].tv, rtol=0, atol=1e-15)
    assert set(runs[0].measured["tokens"]) == {8.0}
    assert np.ptp(runs[0].tv) > 0.1, "equal numbers could be in any order"
    assert runs[1].measured == {}


def skip_residual(draft: Any, target: Any, drafts: Any, uniforms: Any) -> Selection:
    proper = verify(draft, target, drafts, uniforms)
    fresh = invert(target, uniforms[..., 1])
    return Selection(torch.where(proper.accepted >= 0, proper.tokens, fresh), proper.accepted)


def misdeclare(draft: Any, target: Any, drafts: Any, uniforms: Any) -> Selection:
    """Draft law declared sharper than the one drawn from, as by a filter that only one side applies."""
    sharper = draft**1.5
    return verify(sharper / sharper.sum(dim=-1, keepdim=True), target, drafts, uniforms)


@pytest.mark.parametrize("defect", [skip_residual, pytest.param(misdeclare, marks=pytest.mark.slow)])
def test_a_defective_verifier_is_refuted(pair: Any, defect: SelectionSampler) -> None:
    run = decode_all(pair, 2, True, defect)
    with pytest.raises(AssertionError):
        assert_target_laws(pair, run.tokens)


class FirstTokenAlone:
    """A rule of another kind for a round: verify the first drafted token, and leave the others of it unread."""

    bonus = False

    def num_sequences(self, restart: torch.Tensor) -> torch.Tensor:
        return torch.ones_like(restart, dtype=torch.int64)

    def select(self, offered: Round, uniforms: Uniforms) -> Selected:
        members = torch.arange(len(offered.text))
        sequence = torch.zeros_like(members)
        draft, target = offered.draft(members, sequence, 0), offered.target(members, sequence, 0)
        selection = verify(draft, target, offered.tokens[:, 0, :1], uniforms((len(members), 2)))
        offered.emit(members, selection.tokens)
        return Selected(sequence, (selection.accepted >= 0).long())


def test_another_rule_for_rounds_is_served_by_the_same_loop(pair: Any) -> None:
    """It is lossless too, and needs a call of the target for each token; what is not tested is not recorded."""
    run = speculative_decode(pair, PROMPTS * ROWS, T, 2, FirstTokenAlone(), np.random.default_rng(7))
    assert_target_laws(pair, run.tokens)
    assert (run.target_calls == T).all()
    assert 0.1 < run.round_accepted.mean() < 0.9
    assert run.rejected.size == 0


def test_equal_models_reject_nothing(pair: Any, make_pair: Any) -> None:
    same = type(pair)("same", pair.target, pair.target, None)
    run = speculative_decode(same, PROMPTS, 9, 2, LevelByLevel(), np.random.default_rng(3))
    # The target reads several columns at once where the draft reads one: equal up to float32 rounding.
    assert run.tv.max() < 1e-5
    assert run.rejections == 0
    assert run.target_calls.tolist() == [3, 3]
    assert run.block_efficiency == 3


@pytest.mark.parametrize(("draft_length", "bonus"), [pytest.param(3, False, marks=pytest.mark.slow), (1, True)])
def test_end_of_text_ends_a_sequence(make_pair: Any, pair: Any, draft_length: int, bonus: bool) -> None:
    """The law of the cut texts is the target's, cut: false alarm 1e-7, a bias of 0.1 is seen with probability 0.99."""
    eos = 2
    run = decode_all(make_pair(eos=eos), draft_length, bonus)
    assert ends_properly(run.tokens, eos)
    assert 0.1 < (run.tokens[:, -1] == -1).mean() < 0.9
    np.testing.assert_array_equal(run.emitted, run.tokens[run.text, run.position])
    assert run.round_emitted.sum() == (run.tokens >= 0).sum()
    if not bonus:
        assert len(run.rejected) == (run.tokens >= 0).sum()
    for index, prompt in enumerate(PROMPTS):
        full = joint_law(pair.target, prompt)
        cut = np.zeros((V + 1,) * T)
        for text in itertools.product(range(V), repeat=T):
            stop = text.index(eos) + 1 if eos in text else T
            # The index V stands for "after the end"; -1 in the tokens is that index, counted from the back.
            cut[text[:stop] + (V,) * (T - stop)] += full[text]
        tokens = run.tokens[index :: len(PROMPTS)]
        assert distance(tokens, cut) <= allowance(cut, len(tokens))


def calls(pair: Any, prompts: Any, horizon: int) -> Iterator[Any]:
    rng = np.random.default_rng(0)
    yield lambda: sample_target(pair, prompts, horizon, rng)
    yield lambda: walk_target(pair, prompts, horizon, rng)
    yield lambda: speculative_decode(pair, prompts, horizon, 2, LevelByLevel(), rng)


@pytest.mark.parametrize(
    ("prompts", "horizon", "message"),
    [
        ([], 3, "prompts is empty"),
        ([[1], []], 3, r"prompts\[1\] has no tokens"),
        ([[1]], 0, "horizon is 0"),
        ([[1]], 64, "context of 64"),
    ],
)
def test_wrong_arguments_are_refused_at_once(pair: Any, prompts: Any, horizon: int, message: str) -> None:
    for call in calls(pair, prompts, horizon):
        with pytest.raises(InvalidInput, match=message):
            call()


def test_a_draft_length_with_nothing_to_emit_is_refused(pair: Any) -> None:
    with pytest.raises(InvalidInput, match="draft_length is 0"):
        speculative_decode(pair, [[1]], 3, 0, LevelByLevel(bonus=False), np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="draft_length is -1"):
        speculative_decode(pair, [[1]], 3, -1, LevelByLevel(), np.random.default_rng(0))
