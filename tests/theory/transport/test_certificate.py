from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, dirichlet, softmax
from specproof.theory.transport import AcceptanceCertificate, certify, optimal_acceptance
from specproof.theory.transport.certificate import _descending

COUNTS = st.integers(1, 5)
PAIR = (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5]))


def is_feasible_by_definition(proof: AcceptanceCertificate) -> bool:
    """0 <= r <= q, and r(B) <= 1 - (1 - p(B))^k for every one of the 2^V sets B."""
    draft = [Fraction(weight, sum(proof.draft)) for weight in proof.draft]
    target = [Fraction(weight, sum(proof.target)) for weight in proof.target]
    rates = [Fraction(rate, proof.rate_unit) for rate in proof.rates]
    for members in product([0, 1], repeat=len(draft)):
        mass = sum(p * member for p, member in zip(draft, members, strict=True))
        total = sum(r * member for r, member in zip(rates, members, strict=True))
        if total > 1 - (1 - mass) ** proof.num_drafts:
            return False
    return all(0 <= r <= q for r, q in zip(rates, target, strict=True))


@given(pair=rough_pairs(), num_drafts=COUNTS)
@with_degenerate(num_drafts=3)
def test_every_instance_is_proved(pair: Pair, num_drafts: int) -> None:
    proof = certify(*pair, num_drafts)
    assert proof.is_proof
    assert proof.gap == 0
    assert proof.primal_value == proof.dual_value == proof.acceptance
    assert is_feasible_by_definition(proof)
    assert abs(proof.acceptance - Fraction(float(optimal_acceptance(*pair, num_drafts)))) <= 1e-14


@given(pair=rough_pairs(), num_drafts=COUNTS)
@with_degenerate(num_drafts=2)
def test_weights_are_the_float64_entries_exactly(pair: Pair, num_drafts: int) -> None:
    proof = certify(*pair, num_drafts)
    for row, weights in zip(as_pair(*pair), (proof.draft, proof.target), strict=True):
        total = sum(map(Fraction, row.tolist()))
        assert [Fraction(weight, sum(weights)) for weight in weights] == [Fraction(x) / total for x in row.tolist()]


@given(pair=rough_pairs(), num_drafts=st.integers(1, 4))
@with_degenerate(num_drafts=1)
def test_one_more_draft_never_accepts_less(pair: Pair, num_drafts: int) -> None:
    assert certify(*pair, num_drafts).acceptance <= certify(*pair, num_drafts + 1).acceptance


@given(pair=rough_pairs(), num_drafts=COUNTS, data=st.data())
def test_feasibility_is_that_of_all_sets_whatever_the_rates(pair: Pair, num_drafts: int, data: st.DataObject) -> None:
    """Threshold sets are enough: the quick check and the definition agree on rates that nobody optimised."""
    proof = certify(*pair, num_drafts)
    shares = data.draw(st.lists(st.integers(-1, 10), min_size=len(proof.rates), max_size=len(proof.rates)))
    # From below nothing to above all of the target, so that both outcomes occur.
    rates = tuple(weight * share for weight, share in zip(proof.target, shares, strict=True))
    other = replace(proof, rates=rates, rate_unit=9 * sum(proof.target))
    assert other.is_feasible == is_feasible_by_definition(other)


def tampered() -> dict[str, AcceptanceCertificate]:
    proof = certify(*PAIR, 2)
    assert proof.is_proof
    rates = proof.rates
    everything = replace(proof, rates=tuple(3 * weight for weight in proof.target), rate_unit=3 * sum(proof.target))
    return {
        "a rate raised by the smallest unit": replace(proof, rates=(rates[0] + 1, *rates[1:])),
        "a rate lowered by the smallest unit": replace(proof, rates=(rates[0] - 1, *rates[1:])),
        "all rates raised": replace(proof, rates=tuple(rate + rate // 1000 for rate in rates)),
        "rates moved from one token to another": replace(proof, rates=(rates[0] + 1, rates[1] - 1, rates[2])),
        "rates above what the drafts supply": everything,
        "a negative rate": replace(proof, rates=(-1, rates[1] + rates[0] + 1, rates[2])),
        "the wrong set": replace(proof, dual_set=~proof.dual_set),
        "the empty set": replace(proof, dual_set=np.zeros(3, dtype=bool)),
        "one more draft than proved for": replace(proof, num_drafts=3),
        "another target": replace(proof, target=proof.target[::-1]),
        "another draft": replace(proof, draft=proof.draft[::-1]),
    }


@pytest.mark.parametrize("name", tampered())
def test_a_tampered_certificate_proves_nothing(name: str) -> None:
    forged = tampered()[name]
    assert not forged.is_proof


def test_the_gap_of_a_weaker_certificate_bounds_the_optimum_from_both_sides() -> None:
    proof = certify(*PAIR, 2)
    lower = replace(proof, rates=tuple(rate // 2 for rate in proof.rates))
    upper = replace(proof, dual_set=np.zeros(3, dtype=bool))
    assert lower.is_feasible
    assert lower.primal_value < proof.acceptance < upper.dual_value
    assert lower.gap > 0


def test_a_certificate_by_hand() -> None:
    """p = (1/2, 1/2), q = (1, 0), k = 2: token 0 is among the drafts with probability 3/4."""
    proof = certify([0.5, 0.5], [1.0, 0.0], 2)
    assert proof.acceptance == Fraction(3, 4)
    assert proof.dual_set.tolist() == [False, True]
    assert [Fraction(rate, proof.rate_unit) for rate in proof.rates] == [Fraction(3, 4), 0]


@pytest.mark.parametrize("start", [[0, 1, 2, 3], [3, 2, 1, 0]])
def test_tokens_are_sorted_by_their_exact_quotients(start: list[int]) -> None:
    above, below = (2**60, 2**60 + 1, 0, 1), (2**60, 2**60, 0, 0)
    assert above[0] / below[0] == above[1] / below[1], "float64 cannot tell the first two apart"
    assert _descending(above, below, start) == [3, 1, 0, 2]


def test_quotients_past_the_largest_float() -> None:
    draft = [5e-324, 1e-323, 1.0]
    with np.errstate(over="ignore"):
        assert np.isinf(np.array([0.25, 0.25]) / np.array(draft[:2])).all()
    assert certify(draft, [0.25, 0.25, 0.5], 3).is_proof


@pytest.mark.parametrize("num_drafts", [1, 8])
def test_a_vocabulary_beyond_any_linear_program(num_drafts: int) -> None:
    rng = np.random.default_rng(13)
    draft = softmax(3.0 * rng.normal(size=2000))
    target = dirichlet(2000, 0.05, rng)
    proof = certify(draft, target, num_drafts)
    assert proof.is_proof
    assert abs(float(proof.acceptance) - float(optimal_acceptance(draft, target, num_drafts))) <= 1e-13
