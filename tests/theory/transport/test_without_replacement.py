"""The optimum without replacement: against brute force in rational arithmetic, and the inequality of its proof."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory.distribution import as_pair, dirichlet, softmax, total_variation, uniform
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import (
    DraftSets,
    optimal_acceptance,
    optimal_acceptance_without_replacement,
    optimal_plan,
)


def brute_force(draft: np.ndarray, target: np.ndarray, num_drafts: int) -> Fraction:
    """The least q(A) + P(some draft outside A) over all 2^V sets."""
    drafts = DraftSets.without_replacement(draft, num_drafts, exact=True)
    law = [Fraction(float(value)) for value in target]
    best = Fraction(1)
    for members in product([False, True], repeat=len(law)):
        emitted = sum((q for q, member in zip(law, members, strict=True) if member), Fraction(0)) / sum(law)
        escape = sum(m for s, m in zip(drafts.sets, drafts.masses, strict=True) if not all(members[i] for i in s))
        best = min(best, emitted + escape)
    return best


@given(pair=rough_pairs(5), num_drafts=st.integers(1, 5))
@with_degenerate(num_drafts=2)
def test_formula_against_brute_force(pair: Pair, num_drafts: int) -> None:
    draft, target = as_pair(*pair)
    support = int(np.count_nonzero(draft))
    count = min(num_drafts, support)
    assert (
        abs(
            Fraction(float(optimal_acceptance_without_replacement(draft, target, count)))
            - brute_force(draft, target, count)
        )
        <= 1e-14
    )


def test_sums_over_suffixes_are_those_of_the_set_law() -> None:
    """A vocabulary too large for rational brute force: every suffix by the linear program's set law in float64."""
    rng = np.random.default_rng(21)
    for concentration in (0.2, 1.0, 5.0):
        draft, target = dirichlet(14, concentration, rng), dirichlet(14, concentration, rng)
        for count in (1, 2, 3, 4, 5):
            drafts = DraftSets.without_replacement(draft, count)
            formula = float(optimal_acceptance_without_replacement(draft, target, count))
            assert formula == pytest.approx(optimal_plan(drafts, target).acceptance, abs=1e-12)


def contained(draft: list[Fraction], tokens: frozenset[int], num_drafts: int) -> Fraction:
    """F(A), the probability that all drafts are in A, by the first draft."""
    if num_drafts == 0:
        return Fraction(1)
    total = sum(draft)
    result = Fraction(0)
    for token in tokens:
        if draft[token]:
            left = [Fraction(0) if other == token else mass for other, mass in enumerate(draft)]
            result += draft[token] / total * contained(left, tokens - {token}, num_drafts - 1)
    return result


@given(
    weights=st.lists(st.integers(1, 10**6), min_size=3, max_size=6),
    num_drafts=st.integers(1, 3),
    inside=st.integers(0, 63),
)
def test_the_inequality_that_makes_suffixes_optimal(weights: list[int], num_drafts: int, inside: int) -> None:
    """(F(B+i) - F(B)) / p_i <= (F(B+i+j) - F(B+i)) / p_j, whatever i, j and B."""
    assume(len(weights) >= num_drafts)
    draft = [Fraction(weight, sum(weights)) for weight in weights]
    others = frozenset(token for token in range(2, len(draft)) if inside >> token & 1)
    chain = [contained(draft, tokens, num_drafts) for tokens in (others, others | {0}, others | {0, 1})]
    assert (chain[1] - chain[0]) / draft[0] <= (chain[2] - chain[1]) / draft[1]


@given(pair=rough_pairs())
@with_degenerate()
def test_one_draft_is_the_overlap_and_more_never_accept_less(pair: Pair) -> None:
    draft, target = as_pair(*pair)
    counts = np.arange(1, np.count_nonzero(draft) + 1)
    found = optimal_acceptance_without_replacement(draft, target, counts)
    assert found[0] == pytest.approx(1 - total_variation(draft, target), abs=1e-14)
    assert np.all(np.diff(found) >= -1e-14)
    assert found[-1] == pytest.approx(target[draft > 0].sum(), abs=1e-14), "every token is drafted"


def test_drafts_that_do_not_repeat_help_more_here() -> None:
    rng = np.random.default_rng(22)
    draft, target = dirichlet(30, 1.0, rng, 20), dirichlet(30, 1.0, rng, 20)
    counts = [1, 2, 4, 8]
    without = optimal_acceptance_without_replacement(draft, target, counts)
    assert without.shape == (20, 4)
    assert np.all(without >= optimal_acceptance(draft, target, counts) - 1e-14)


@pytest.mark.parametrize("num_drafts", [1, 3, 10, 99, 100])
def test_uniform_drafts_have_a_closed_form(num_drafts: int) -> None:
    """Target uniform on 20 of 100 tokens: none of them is drafted with probability C(80, k) / C(100, k)."""
    miss = np.prod([max(80 - i, 0) / (100 - i) for i in range(num_drafts)])
    found = optimal_acceptance_without_replacement(uniform(100), uniform(100, 20), num_drafts)
    assert float(found) == pytest.approx(1 - miss, abs=1e-14)


@pytest.mark.parametrize(("tokens", "num_drafts"), [(1000, 8), (1000, 128), (400, 400)])
def test_the_rule_has_converged(tokens: int, num_drafts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times as many nodes change nothing."""
    from specproof.theory.transport import without_replacement

    rng = np.random.default_rng(23)
    pairs = [(softmax(c * rng.normal(size=tokens)), dirichlet(tokens, c, rng)) for c in (0.3, 3.0)]
    counts = [num_drafts // 2, num_drafts]
    coarse = [optimal_acceptance_without_replacement(*pair, counts) for pair in pairs]
    nodes = without_replacement._nodes

    def finer(kth_largest: float, most: int) -> tuple[np.ndarray, np.ndarray]:
        return nodes(kth_largest, 9 * most + 320)

    assert finer(0.1, 8)[0].size > 2.9 * nodes(0.1, 8)[0].size
    monkeypatch.setattr(without_replacement, "_nodes", finer)
    fine = [optimal_acceptance_without_replacement(*pair, counts) for pair in pairs]
    assert coarse == [pytest.approx(value, abs=2e-14) for value in fine]


def test_a_tiny_optimum_keeps_its_digits() -> None:
    found = optimal_acceptance_without_replacement([0.5, 0.5, 1e-30], [0.0, 0.0, 1.0], 2)
    # Token 2 is the first draft, or the second of two that each of the others comes before with probability 1/2.
    assert float(found) == pytest.approx(1e-30 + 1e-30 / 0.5, rel=1e-13)


def test_masses_far_apart() -> None:
    draft = np.array([1.0, 3e-200, 1e-200, 1e-300])
    found = optimal_acceptance_without_replacement(draft, [0.0, 0.0, 1.0, 0.0], [1, 2, 3])
    assert found == pytest.approx([1e-200, 0.25, 1.0], rel=1e-13)


def test_more_drafts_than_tokens_are_refused() -> None:
    with pytest.raises(InvalidInput, match="num_drafts is 3 and only 2 tokens of draft have positive probability"):
        optimal_acceptance_without_replacement([[0.3, 0.3, 0.4], [0.5, 0.5, 0.0]], [0.2, 0.3, 0.5], [1, 3])
