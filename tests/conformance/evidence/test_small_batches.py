"""How many trials small batches have."""

from __future__ import annotations

import numpy as np

from specproof.conformance.arguments import DEFAULT
from specproof.conformance.evidence.small_batches import BETWEEN, FINER, KINDS, SINGLE, TURN, size_of
from specproof.conformance.references import token_by_token
from specproof.conformance.subject.sampler_under_test import Subject


def fresh() -> Subject:
    """A sampler that nothing is known of."""
    return Subject(token_by_token, "numpy", DEFAULT.seconds, DEFAULT.first_call)


def test_calls_of_a_kind_have_its_sizes_and_powers_of_two_come_most() -> None:
    rng, subject = np.random.default_rng(0), fresh()
    for kind in (*KINDS, *FINER):
        sizes = {size_of(kind, subject, rng) for _ in range(2000)}
        assert sizes <= set(range(kind.least, kind.most + 1))
        assert kind == BETWEEN or {kind.least, kind.most} <= sizes
    sizes, counts = np.unique([size_of(BETWEEN, subject, rng) for _ in range(20_000)], return_counts=True)
    assert set(sizes[np.argsort(-counts)][:5]) == {4, 8, 16, 32, 64}
    assert {128, 256} <= set(sizes)


def test_the_finer_sizes_are_all_of_the_last_kind_and_each_once() -> None:
    covered = [size for sizes in FINER for size in range(sizes.least, sizes.most + 1)]
    assert covered == list(range(BETWEEN.least, BETWEEN.most + 1))


def test_a_slow_sampler_is_asked_for_few_trials_and_single_calls_come_most() -> None:
    rng, subject = np.random.default_rng(0), fresh()
    subject.batches = subject.batches.more(1, DEFAULT.seconds / 50)  # ten trials are the longest call
    assert {size_of(BETWEEN, subject, rng) for _ in range(500)} == set(range(4, 11))
    assert max(KINDS, key=TURN.count) == SINGLE
