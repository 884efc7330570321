"""Recursive rejection without replacement: every run in rational arithmetic, bounds, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from specproof.conformance.strategies import DEGENERATE, Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, bernoulli, dirichlet, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.transport.without_replacement import optimal_acceptance_without_replacement
from specproof.theory.verifiers.recursive import recursive_rejection
from specproof.theory.verifiers.recursive_without_replacement import recursive_rejection_without_replacement
from specproof.theory.verifiers.single import maximal_coupling

ROUNDING = 1e-13
Law = list[Fraction]


def rationals(row: np.ndarray) -> Law:
    exact = [Fraction(float(value)) for value in row]
    return [value / sum(exact) for value in exact]


def runs_in_fractions(draft: Law, target: Law, num_drafts: int) -> tuple[Law, Fraction]:
    """Output law and acceptance, following every draft and coin of the algorithm."""
    if not num_drafts:
        return target, Fraction(0)
    output, acceptance = [Fraction(0)] * len(draft), Fraction(0)
    excess = [max(q - p, Fraction(0)) for p, q in zip(draft, target, strict=True)]
    for token, chance in enumerate(draft):
        accepted = min(chance, target[token])
        output[token] += accepted
        acceptance += accepted
        if chance > accepted:
            rest = [Fraction(0) if other == token else p for other, p in enumerate(draft)]
            shorter = [p / sum(rest) for p in rest] if any(rest) else rest
            later, again = runs_in_fractions(shorter, [e / sum(excess) for e in excess], num_drafts - 1)
            output = [o + (chance - accepted) * y for o, y in zip(output, later, strict=True)]
            acceptance += (chance - accepted) * again
    return output, acceptance


@given(pair=rough_pairs(largest=4), num_drafts=st.integers(1, 3))
@with_degenerate(num_drafts=1)
def test_the_law_is_that_of_its_runs(pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    count = min(num_drafts, int(np.count_nonzero(draft)))
    output, acceptance = runs_in_fractions(rationals(draft), rationals(target), count)
    assert output == rationals(target), "the rule is lossless, exactly"
    law = recursive_rejection_without_replacement(*pair, count)
    assert law.is_lossless(target)
    assert abs(Fraction(float(law.acceptance)) - acceptance) <= ROUNDING


@given(pair=rough_pairs(largest=5), num_drafts=st.integers(1, 4))
def test_acceptance_between_replacement_and_the_optimum(pair: Pair, num_drafts: int) -> None:
    """The optimum's quadrature is good to rounding only where the k-th most probable token is not tiny."""
    draft, _ = as_pair(*pair)
    assume(np.count_nonzero(draft > 1e-9) >= num_drafts)
    law = recursive_rejection_without_replacement(*pair, num_drafts)
    assert law.acceptance <= optimal_acceptance_without_replacement(*pair, num_drafts) + 1e-12
    assert law.acceptance >= recursive_rejection(*pair, num_drafts).acceptance - 1e-12
    assert np.all((law.accepted >= 0) & (law.residual >= 0))


@pytest.mark.parametrize("name", DEGENERATE)
def test_one_draft_is_the_maximal_coupling(name: str) -> None:
    law, known = recursive_rejection_without_replacement(*DEGENERATE[name], 1), maximal_coupling(*DEGENERATE[name])
    assert np.array_equal(law.accepted, known.accepted)
    assert np.array_equal(law.residual, known.residual)


@pytest.mark.parametrize("name", DEGENERATE)
def test_all_tokens_drafted_accept_all_that_can_be(name: str) -> None:
    draft, target = as_pair(*DEGENERATE[name])
    law = recursive_rejection_without_replacement(draft, target, int(np.count_nonzero(draft)))
    assert law.acceptance == pytest.approx(float(target[draft > 0].sum()), abs=ROUNDING)
    assert law.is_lossless(target)


def test_acceptance_by_hand() -> None:
    """p uniform on 4, q = (1, 0, 0, 0): token 1 is among k distinct drafts with probability k/4."""
    for num_drafts in (1, 2, 3, 4):
        law = recursive_rejection_without_replacement(uniform(4), [1.0, 0.0, 0.0, 0.0], num_drafts)
        assert law.acceptance == pytest.approx(num_drafts / 4, abs=1e-15)


def test_equal_laws_reject_nothing_however_they_are_rounded() -> None:
    law = dirichlet(5, 1.0, np.random.default_rng(2), 200)
    found = recursive_rejection_without_replacement(law, law, 3)
    assert np.abs(found.acceptance - 1.0).max() <= 1e-15
    assert not found.residual.any()


def test_batches_are_equal_row_by_row() -> None:
    rng = np.random.default_rng(1)
    draft, target = dirichlet(4, 0.4, rng, (3, 1)), dirichlet(4, 0.4, rng, 2)
    batch = recursive_rejection_without_replacement(draft, target, 2)
    assert batch.acceptance.shape == (3, 2)
    for row in np.ndindex(3, 2):
        single = recursive_rejection_without_replacement(draft[row[0], 0], target[row[1]], 2)
        assert np.array_equal(batch.output[row], single.output)


def test_more_drafts_than_tokens_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"num_drafts is 3 and only 2 tokens of draft have positive probability"):
        recursive_rejection_without_replacement([0.5, 0.5, 0.0], [0.2, 0.3, 0.5], 3)


def test_too_many_histories_are_refused_with_their_number() -> None:
    target = np.linspace(1, 2, 300)
    with pytest.raises(InvalidInput, match=r"num_drafts is 4, and 300 tokens have [\d,]+ histories .*: take fewer"):
        recursive_rejection_without_replacement(uniform(300), target / target.sum(), 4)


@pytest.mark.parametrize("num_drafts", [0, 1.5])
def test_what_is_not_a_number_of_drafts_is_refused(num_drafts: object) -> None:
    with pytest.raises(InvalidInput, match="num_drafts"):
        recursive_rejection_without_replacement(bernoulli(0.5), bernoulli(0.2), num_drafts)  # type: ignore[arg-type]
