"""Recursive rejection without replacement, its drafts, and verification in blocks.

Statistical tests: level 1e-9 each; deviations of 0.02 in any probability are seen with 0.99 (asserted). Fixed seeds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers import recursive_without_replacement as sampler
from specproof.simulations.samplers.chunks import verify_in_chunks
from specproof.simulations.samplers.distinct import draw_distinct
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.statistics import check_frequency, check_law, check_mean
from specproof.theory.distribution import dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.verifiers.recursive_without_replacement import recursive_rejection_without_replacement

LEVEL, TRIALS, RESOLUTION = 1e-9, 200_000, 0.02
DRAFT, TARGET = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.1, 0.3, 0.25, 0.35])


def agrees(tokens: np.ndarray, law: np.ndarray) -> bool:
    check = check_law(tokens, law, LEVEL)
    assert check.detectable <= RESOLUTION
    return not check.is_refuted


@pytest.mark.parametrize("form", ["compiled", "array"])
@pytest.mark.parametrize("num_drafts", [1, 2, 4])
def test_samples_have_the_exact_law(form: str, num_drafts: int) -> None:
    rng = np.random.default_rng(81)
    if form == "compiled":
        found = sampler.simulate(DRAFT, TARGET, num_drafts, TRIALS, rng)
    else:
        drafts = draw_distinct(DRAFT, num_drafts, rng.random((TRIALS, 4)))
        found = sampler.verify(DRAFT, TARGET, drafts, rng.random((TRIALS, num_drafts + 1)))
        kept = found.accepted >= 0
        assert (drafts[kept, found.accepted[kept]] == found.tokens[kept]).all()
    law = recursive_rejection_without_replacement(DRAFT, TARGET, num_drafts)
    assert agrees(found.tokens, TARGET)
    accepted = int(np.count_nonzero(found.accepted >= 0))
    assert not check_frequency(accepted, TRIALS, float(law.acceptance), LEVEL).is_refuted


def test_drafts_with_replacement_are_refuted() -> None:
    """The control of the test above: the rule is made for distinct drafts."""
    rng = np.random.default_rng(82)
    drafts = invert(DRAFT, rng.random((TRIALS, 3)))
    assert not agrees(sampler.verify(DRAFT, TARGET, drafts, rng.random((TRIALS, 4))).tokens, TARGET)


def test_torch_rows_give_what_numpy_rows_give() -> None:
    rng = np.random.default_rng(83)
    draft, target = dirichlet(9, 0.5, rng, 60), dirichlet(9, 0.5, rng, 60)
    races, uniforms = rng.random((60, 9)), rng.random((60, 4))
    drafts = draw_distinct(draft, 3, races)
    assert drafts.tolist() == draw_distinct(torch.from_numpy(draft), 3, torch.from_numpy(races)).tolist()
    found = sampler.verify(draft, target, drafts, uniforms)
    again = sampler.verify(*map(torch.from_numpy, (draft, target, drafts, uniforms)))
    assert found.tokens.tolist() == again.tokens.tolist()
    assert found.accepted.tolist() == again.accepted.tolist()


def test_distinct_drafts_have_the_law_of_successive_draws() -> None:
    """The ordered pair (x, y) has probability p(x) p(y) / (1 - p(x))."""
    drafts = draw_distinct(DRAFT, 2, np.random.default_rng(84).random((TRIALS, 4)))
    law = np.outer(DRAFT / (1 - DRAFT), DRAFT)
    np.fill_diagonal(law, 0.0)
    assert agrees(4 * drafts[:, 0] + drafts[:, 1], law.ravel())


def test_tokens_that_cannot_be_drafted_come_last_and_tiny_ones_before_them() -> None:
    draft = np.array([0.0, 1.0, 5e-324, 0.0, 1e-310])
    uniforms = np.random.default_rng(85).random((500, 5))
    uniforms[0] = 0.0
    drafts = draw_distinct(draft, 3, uniforms)
    assert set(np.unique(drafts)) == {1, 2, 4}
    assert (drafts[1:, 0] == 1).all()


@pytest.mark.parametrize("num_drafts", [1, 2, 3, 4])
def test_estimates_are_unbiased(num_drafts: int) -> None:
    rows = (np.broadcast_to(law, (50_000, 4)) for law in (DRAFT, TARGET))
    found = sampler.estimate_acceptance(*rows, num_drafts, np.random.default_rng(86))
    for count in range(1, num_drafts + 1):
        exact = float(recursive_rejection_without_replacement(DRAFT, TARGET, count).acceptance)
        check = check_mean(found[:, count - 1], 0.0, 1.0, exact, LEVEL)
        assert not check.is_refuted
        assert check.detectable <= RESOLUTION


def test_estimates_of_equal_laws_are_one() -> None:
    law = dirichlet(6, 1.0, np.random.default_rng(87), 50)
    assert np.abs(sampler.estimate_acceptance(law, law, 3, np.random.default_rng(0)) - 1.0).max() <= 1e-15


class SameHistory:
    """A generator that always draws 0, so that one history stands for all."""

    def random(self, size: int) -> np.ndarray:
        return np.zeros(size)


def estimates_agree(draft: np.ndarray, target: np.ndarray, num_drafts: int, rng: Any) -> bool:
    """Whether no mean of the estimates, of any token and number of drafts, is refuted; level 1e-9 in all."""
    rows = [np.broadcast_to(law, (20_000, draft.size)) for law in (draft, target)]
    agreeing = True
    for token in range(draft.size):
        chosen = np.full(20_000, token)
        found = sampler.accepted_at_distinct(*rows, chosen, num_drafts, rng)
        for count in range(1, num_drafts + 1):
            exact = recursive_rejection_without_replacement(draft, target, count).accepted[token]
            check = check_mean(found[:, count - 1], 0.0, 1.0, float(exact), LEVEL / (draft.size * num_drafts))
            agreeing &= not check.is_refuted
            assert check.detectable <= 2 * RESOLUTION
    return agreeing


SPREAD = np.array([0.3, 0.25, 0.2, 0.15, 0.1]), np.array([0.1, 0.15, 0.05, 0.3, 0.4])
"""Three tokens can be rejected at first, with much the same probability."""


def test_estimates_at_each_token_are_unbiased() -> None:
    assert estimates_agree(*SPREAD, 4, np.random.default_rng(89))
    assert estimates_agree(DRAFT, TARGET, 4, np.random.default_rng(90))


def test_estimates_from_one_history_are_refuted() -> None:
    """The control of the test above."""
    assert not estimates_agree(*SPREAD, 4, SameHistory())


def test_estimates_at_the_tokens_add_up_to_those_of_the_acceptance() -> None:
    rng = np.random.default_rng(91)
    draft, target = dirichlet(7, 0.5, rng, 30), dirichlet(7, 0.5, rng, 30)
    acceptance = sampler.estimate_acceptance(draft, target, 5, np.random.default_rng(0))
    at_tokens = [
        sampler.accepted_at_distinct(draft, target, np.full(30, token), 5, np.random.default_rng(0))
        for token in range(7)
    ]
    np.testing.assert_allclose(np.sum(at_tokens, axis=0), acceptance, rtol=0, atol=1e-14)


def test_where_fewer_tokens_can_be_drafted_all_of_them_are() -> None:
    draft, target = np.array([0.6, 0.4, 0.0]), np.array([0.1, 0.6, 0.3])
    found = sampler.accepted_at_distinct(draft, target, np.array(1), 4, np.random.default_rng(0))
    assert found == pytest.approx([0.4, 0.6, 0.6, 0.6], abs=1e-15)


def test_more_drafts_than_tokens_are_refused() -> None:
    rng = np.random.default_rng(0)
    for refused in (
        lambda: sampler.simulate(DRAFT, TARGET, 5, 1, rng),
        lambda: sampler.estimate_acceptance(DRAFT, TARGET, 5, rng),
    ):
        with pytest.raises(InvalidInput, match="num_drafts is 5 and only 4 tokens"):
            refused()


@pytest.mark.parametrize("name", ["single", "kseq", "recursive"])
def test_blocks_give_what_one_call_gives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specproof.simulations.samplers.chunks.ENTRIES", 40)
    rng = np.random.default_rng(88)
    draft, target = dirichlet(9, 0.5, rng, 50), dirichlet(9, 0.5, rng, 50)
    drafts, uniforms = invert(draft[:, np.newaxis], rng.random((50, 3))), rng.random((50, 4))
    found, whole = (
        verify_in_chunks(SAMPLERS[name], draft, target, drafts, uniforms),
        SAMPLERS[name](draft, target, drafts, uniforms),
    )
    assert np.array_equal(found.tokens, whole.tokens)
    assert np.array_equal(found.accepted, whole.accepted)
