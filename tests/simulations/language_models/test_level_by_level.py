"""SpecTr, draft sequences selected level by level, on real transformers models against laws enumerated without a cache.

Statistical tests: level 1e-8 each, 10,000 texts of three tokens, fixed seeds. A deviation of 0.04 in the probability of
any of the 512 texts is seen with probability 0.99 (each test asserts it).
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from enumerated_texts import LEVEL, PROMPTS, TEXTS, T, V, joint_law, refuted
from numpy.typing import NDArray

from specproof.simulations.language_models.decoding import speculative_decode
from specproof.simulations.language_models.decoding_run import DecodingRun, exact_acceptance
from specproof.simulations.language_models.level_by_level import LevelByLevel
from specproof.simulations.language_models.model import CachedModel, LanguageModel
from specproof.simulations.language_models.walking import sample_target
from specproof.simulations.samplers import SAMPLERS, kseq
from specproof.simulations.samplers.selection import Selection, replace_rejected
from specproof.simulations.statistics import check_drift
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers import VERIFIERS

Array = NDArray[np.float64]


def laws_along(model: LanguageModel, text: list[int]) -> Array:
    """The law after each token of a text, in one pass without a cache."""
    with torch.no_grad():
        rows: Array = model.law(model.module(torch.tensor([text]), use_cache=False).logits[0]).numpy()
    return rows


def spectr(
    pair: Any,
    prompts: list[list[int]],
    horizon: int,
    num_drafts: int,
    draft_length: int,
    *,
    seed: int = 8,
    name: str = "kseq",
    **options: Any,
) -> DecodingRun:
    """Whole rounds with the exact acceptance of every level measured."""
    rule = LevelByLevel(**{"verifier": SAMPLERS[name], "num_drafts": num_drafts} | options)
    rng, measure = np.random.default_rng(seed), exact_acceptance(VERIFIERS[name].law)
    return speculative_decode(pair, prompts, horizon, draft_length, rule, rng, measure=measure, whole_rounds=True)


def decode(pair: Any, name: str, num_drafts: int, draft_length: int, **options: Any) -> DecodingRun:
    """Both prompts ``TEXTS`` times in one batch, in turn."""
    return spectr(pair, PROMPTS * TEXTS, T, num_drafts, draft_length, seed=7, name=name, **options)


def any_refuted(pair: Any, run: DecodingRun) -> bool:
    return any(refuted(run.tokens[index :: len(PROMPTS)], joint_law(pair.target, index)) for index in (0, 1))


def check_records(run: DecodingRun, num_drafts: int, draft_length: int) -> None:
    """Identities that hold for any run without end-of-text tokens."""
    assert (run.alive[run.level == 0] == num_drafts).all()
    assert (run.level == 0).sum() == len(run.round_text)
    assert (~run.rejected).sum() == run.round_accepted.sum()
    assert (run.alive >= 1).all()
    assert (run.alive <= num_drafts).all()
    assert (run.alive[run.level > 0] < num_drafts).any() == (num_drafts > 1 and draft_length > 1)
    np.testing.assert_array_equal(run.round_emitted, run.round_accepted + 1)
    assert set(np.unique(run.round_emitted)) == set(range(1, draft_length + 2))
    np.testing.assert_array_equal(run.target_calls, np.bincount(run.round_text, minlength=len(run.tokens)))
    assert run.block_efficiency == pytest.approx(1 + run.round_accepted.sum() / run.target_calls.sum())


@pytest.mark.parametrize(
    "name", ["kseq", *(pytest.param(it, marks=pytest.mark.slow) for it in SAMPLERS if it != "kseq")]
)
@pytest.mark.parametrize(
    ("num_drafts", "draft_length"),
    [(3, 2), pytest.param(2, 3, marks=pytest.mark.slow)],
)
def test_three_tokens_follow_the_targets_joint_law_and_levels_accept_as_their_laws_say(
    pair: Any, name: str, num_drafts: int, draft_length: int
) -> None:
    """An acceptance off by 0.03 is seen with probability 0.99."""
    run = decode(pair, name, num_drafts, draft_length)
    assert run.tokens.min() >= 0
    assert not any_refuted(pair, run)
    check_records(run, num_drafts, draft_length)
    drift = check_drift(~run.rejected, run.measured["acceptance"], LEVEL)
    assert not drift.is_refuted
    assert drift.detectable < 0.03


@pytest.mark.parametrize(
    ("draft_length", "name"),
    [
        (1, "kseq"),
        (4, "recursive"),
        *(pytest.param(*other, marks=pytest.mark.slow) for other in [(1, "single"), (1, "recursive"), (4, "single")]),
        pytest.param(4, "kseq", marks=pytest.mark.slow),
    ],
)
def test_one_draft_is_speculative_decoding_with_a_bonus_token_from_the_same_uniforms(
    pair: Any, name: str, draft_length: int
) -> None:
    run = spectr(pair, [PROMPTS[0]], 30, 1, draft_length, seed=3, name=name)
    # The other drafts less where the horizon is nearer, so it is given a later one.
    rng = np.random.default_rng(3)
    plain = speculative_decode(pair, [PROMPTS[0]], 30 + draft_length, draft_length, LevelByLevel(), rng)
    np.testing.assert_array_equal(run.tokens, plain.tokens[:, :30])
    assert 0 < run.rejected.mean() < 1


def test_no_draft_is_sampling_from_the_target_from_the_same_uniforms(pair: Any) -> None:
    run = spectr(pair, PROMPTS * 3, 9, 4, 0, seed=5)
    np.testing.assert_array_equal(run.tokens, sample_target(pair, PROMPTS * 3, 9, np.random.default_rng(5)))
    assert run.block_efficiency == 1
    assert run.level.size == run.rejected.size == run.tv.size == 0
    assert run.measured == {}
    assert set(run.seconds.wall) == set(run.seconds.process) == {"draft", "target", "selection"}


def largest_error(pair: Any, run: DecodingRun) -> float:
    """How far any recorded acceptance is from that of the laws given the text before, found without a cache."""
    errors, lengths = [], np.zeros(len(run.tokens), dtype=np.int64)
    texts = [PROMPTS[row % len(PROMPTS)] + tokens.tolist() for row, tokens in enumerate(run.tokens)]
    along = [[laws_along(model, text) for text in texts] for model in (pair.draft, pair.target)]
    levels: list[list[int]] = [np.flatnonzero(run.text == row).tolist() for row in range(len(run.tokens))]
    for row, emitted in zip(run.round_text, run.round_emitted, strict=True):
        tested = [levels[row].pop(0)]
        while levels[row] and run.level[levels[row][0]] > 0:
            tested.append(levels[row].pop(0))
        # What a last round emits beyond the horizon is not kept.
        for index in (index for index in tested if lengths[row] + run.level[index] <= run.tokens.shape[1]):
            last = len(PROMPTS[row % len(PROMPTS)]) + lengths[row] + run.level[index] - 1
            laws = (rows[row][last] for rows in along)
            exact = VERIFIERS["kseq"].law(*laws, int(run.alive[index])).acceptance
            errors.append(abs(run.measured["acceptance"][index] - exact))
        lengths[row] += emitted
    return float(max(errors))


@pytest.mark.slow
def test_long_ragged_decodes_keep_both_caches_right(pair: Any) -> None:
    run = spectr(pair, PROMPTS * 4, 40, 3, 4)
    assert (run.tokens >= 0).all()
    assert len(set(run.target_calls.tolist())) > 1
    assert largest_error(pair, run) < 1e-5


@pytest.mark.parametrize(
    ("cache", "method"),
    [
        ("target", "select"),
        *(
            pytest.param(*other, marks=pytest.mark.slow)
            for other in [("draft", "forget"), ("draft", "select"), ("target", "forget")]
        ),
    ],
)
def test_a_cache_that_is_not_taken_back_is_seen(
    pair: Any, monkeypatch: pytest.MonkeyPatch, cache: str, method: str
) -> None:
    proper, faulty = getattr(CachedModel, method), getattr(pair, cache)

    def slipped(self: CachedModel, which: torch.Tensor) -> None:
        if self.model is not faulty:
            proper(self, which)
        elif method == "select":  # rows change places
            proper(self, which.flip(0))

    monkeypatch.setattr(CachedModel, method, slipped)
    run = spectr(pair, PROMPTS * 4, 40, 3, 4)
    assert largest_error(pair, run) > 0.05


def revive(alive: torch.Tensor, drafts: torch.Tensor, selection: Selection) -> torch.Tensor:
    """Drafts that disagree with the output are kept, as long as one agrees."""
    del drafts
    return alive & (selection.accepted >= 0)[:, None]


def skip_residual(draft: Any, target: Any, drafts: Any, uniforms: Any) -> Selection:
    """K-SEQ whose replacement comes from the target itself."""
    proper = kseq.verify(draft, target, drafts, uniforms)
    tokens = replace_rejected(proper.tokens, proper.accepted >= 0, target, uniforms[..., -1])
    return Selection(tokens, proper.accepted)


@pytest.mark.slow
def test_drafts_that_disagree_kept_alive_are_refuted(pair: Any) -> None:
    run = decode(pair, "kseq", 3, 2, survivors=revive)
    assert any_refuted(pair, run)
    assert check_drift(~run.rejected, run.measured["acceptance"], LEVEL).is_refuted


def test_a_defective_verifier_is_refuted(pair: Any) -> None:
    run = decode(pair, "kseq", 3, 2, verifier=skip_residual)
    assert any_refuted(pair, run)


def test_without_a_measure_there_is_no_acceptance(pair: Any) -> None:
    run = speculative_decode(pair, PROMPTS, 9, 2, LevelByLevel(SAMPLERS["kseq"], 3), np.random.default_rng(1))
    assert run.measured == {}
    assert run.rejected.size > 0


def test_the_model_as_its_own_draft_accepts_everything(pair: Any) -> None:
    same = type(pair)("same", pair.target, pair.target, None)
    run = spectr(same, PROMPTS, 9, 2, 2, seed=3)
    assert not run.rejected.any()
    assert run.block_efficiency == 3
    assert run.target_calls.tolist() == [3, 3]
    np.testing.assert_allclose(run.measured["acceptance"], 1.0, atol=1e-5)


@pytest.mark.parametrize(
    ("num_drafts", "draft_length"),
    [(2, 1), (1, 0), (3, 2)],
)
@pytest.mark.slow
def test_end_of_text_ends_a_sequence(make_pair: Any, pair: Any, num_drafts: int, draft_length: int) -> None:
    """The law of the cut texts is the target's, cut."""
    eos = 2
    run = decode(make_pair(eos=eos), "kseq", num_drafts, draft_length)
    assert 0.1 < (run.tokens[:, -1] == -1).mean() < 0.9
    for index in range(len(PROMPTS)):
        full = joint_law(pair.target, index)
        cut = np.zeros((V + 1,) * T)
        for text in itertools.product(range(V), repeat=T):
            stop = text.index(eos) + 1 if eos in text else T
            cut[text[:stop] + (V,) * (T - stop)] += full[text]
        tokens = run.tokens[index :: len(PROMPTS)]
        assert not refuted(np.where(tokens < 0, V, tokens), cut)


@pytest.mark.parametrize(
    ("prompts", "horizon", "num_drafts", "draft_length", "message"),
    [
        ([], 3, 2, 2, "prompts is empty"),
        ([[1], []], 3, 2, 2, r"prompts\[1\] has no tokens"),
        ([[1]], 0, 2, 2, "horizon is 0"),
        ([[1]], 62, 2, 2, "context of 64"),
        ([[1]], 3, 0, 2, "num_drafts is 0"),
        ([[1]], 3, 2, -1, "draft_length is -1"),
    ],
)
def test_wrong_arguments_are_refused(
    pair: Any, prompts: Any, horizon: int, num_drafts: int, draft_length: int, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        spectr(pair, prompts, horizon, num_drafts, draft_length)
