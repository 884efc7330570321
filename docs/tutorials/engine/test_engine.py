"""The engine's samplers against the laws that they promise."""

import numpy as np
import pytest
from engine import pick, pick_fast

from specproof.conformance import assert_lossless


def multi(draft_probs, target_probs, draft_tokens, rng):
    """Contract multi: the engine's own signature is the same."""
    return pick(draft_probs, target_probs, draft_tokens, rng)


def chain(draft_probs, target_probs, draft_tokens, rng):
    """Contract chain: the engine verifies one position at a time, and goes on while the draft is accepted."""
    trials, length = draft_tokens.shape
    emitted = np.full((trials, length + 1), -1)
    going = np.ones(trials, dtype=bool)
    for place in range(length):
        token, index = pick(draft_probs[:, place], target_probs[:, place], draft_tokens[:, place : place + 1], rng)
        emitted[going, place] = token[going]
        going &= index >= 0
    bonus, _ = pick(target_probs[:, -1], target_probs[:, -1], np.empty((trials, 0), int), rng)
    emitted[going, length] = bonus[going]
    return emitted


def test_several_drafts_are_lossless():
    assert_lossless(multi, contract="multi")


def test_a_chain_is_lossless():
    assert_lossless(chain, contract="chain")


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="known: the residual is skipped, to be repaired")
def test_the_fast_path_is_lossless():
    assert_lossless(pick_fast, contract="multi")
