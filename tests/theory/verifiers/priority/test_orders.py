import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import rough_laws, rough_pairs, with_degenerate
from specproof.theory.errors import InvalidInput
from specproof.theory.transport import optimal_acceptance
from specproof.theory.transport.draft_sets import DraftSets
from specproof.theory.verifiers.priority.orders import _nearest, drafted_sets, independent_drafts, optimal_orders

GAP = 1e-8


@st.composite
def several_drafts(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    size = draw(st.integers(1, 6))
    drafts = [np.asarray(draw(rough_laws(size)), dtype=float) for _ in range(draw(st.integers(1, 4)))]
    return np.array(drafts), np.asarray(draw(rough_laws(size)), dtype=float)


@given(case=several_drafts())
def test_the_gap_is_closed_and_the_law_is_lossless(case):
    drafts, target = case
    coupling = optimal_orders(independent_drafts(drafts), target)
    assert -1e-12 <= coupling.gap <= GAP
    assert coupling.law().is_lossless(target, 1e-9)
    assert (np.sort(coupling.orders) == np.arange(target.size)).all()
    assert (coupling.weights > 0).all()
    assert coupling.weights.sum() == pytest.approx(1.0, abs=1e-12)


@given(case=several_drafts())
def test_the_bound_is_the_value_of_its_cut(case):
    drafts, target = case
    coupling = optimal_orders(independent_drafts(drafts), target)
    normalised, law = drafts / drafts.sum(axis=-1, keepdims=True), target / target.sum()
    value = law[coupling.cut].sum() + 1.0 - np.prod(normalised[:, coupling.cut].sum(axis=-1))
    assert coupling.bound == pytest.approx(value, abs=1e-7)


@given(pair=rough_pairs(), num_drafts=st.integers(1, 4))
@with_degenerate(num_drafts=3)
def test_equal_drafts_reach_the_iid_optimum(pair, num_drafts):
    draft, target = pair
    coupling = optimal_orders(independent_drafts(np.tile(draft, (num_drafts, 1))), target)
    assert coupling.acceptance == pytest.approx(float(optimal_acceptance(draft, target, num_drafts)), abs=GAP)


@given(case=several_drafts(), seed=st.integers(0, 2**32))
def test_both_ways_to_describe_the_drafts_agree(case, seed):
    drafts, _ = case
    order = np.random.default_rng(seed).permutation(drafts.shape[1])
    independent, by_set = independent_drafts(drafts), drafted_sets(DraftSets.of_different(drafts))
    assert independent.first(order) == pytest.approx(by_set.first(order), rel=1e-9, abs=1e-15)
    assert independent.ever == pytest.approx(by_set.ever, rel=1e-9, abs=1e-15)


def test_an_order_emits_the_first_of_the_drafted():
    drafted = independent_drafts([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])
    assert drafted.first(np.array([1, 0, 2])) == pytest.approx([0.25, 0.75, 0.0])
    assert drafted.first(np.array([2, 1, 0])) == pytest.approx([0.0, 0.5, 0.5])
    assert drafted.ever == pytest.approx([0.5, 0.75, 0.5])


def test_what_is_never_drafted_has_a_plain_zero():
    assert not np.signbit(independent_drafts([[0.5, 0.5, 0.0]] * 2).ever).any()


def test_two_orders_are_needed_where_none_alone_is_optimal():
    drafts, target = np.full((2, 2), 0.5), np.array([0.5, 0.5])
    coupling = optimal_orders(independent_drafts(drafts), target)
    assert coupling.acceptance == pytest.approx(1.0)
    assert len(coupling.orders) == 2


def test_disjoint_supports_accept_nothing():
    coupling = optimal_orders(independent_drafts([[1.0, 0.0]]), [0.0, 1.0])
    assert coupling.acceptance == 0.0
    assert coupling.law().output.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("drafts", "target", "message"),
    [
        ([0.5, 0.5], [0.5, 0.5], "drafts has shape"),
        ([[0.5, 0.5]], [0.2, 0.3, 0.5], "target has 3 tokens and the drafts have 2"),
        ([[0.5, 0.5]], [[0.5, 0.5]], "target has shape"),
        ([[0.5, np.nan]], [0.5, 0.5], "drafts"),
        ([[0.5, 0.6]], [0.5, 0.5], "drafts"),
    ],
)
def test_what_cannot_be_used_is_named(drafts, target, message):
    with pytest.raises(InvalidInput, match=message):
        optimal_orders(independent_drafts(drafts), target)


def test_the_nearest_point_of_a_simplex_is_approached() -> None:
    """Wolfe's minor cycle never moves away from 0, and ends at the nearest point of the hull of what it keeps."""
    rng = np.random.default_rng(7)
    dropped = 0
    for _ in range(200):
        points = rng.normal(size=(5, 4)) + 0.3
        weights = np.append(rng.dirichlet(np.ones(4)), 0.0)
        kept, found = _nearest(points, weights)
        nearest = found @ points[kept]
        assert (found > 0.0).all()
        assert found.sum() == pytest.approx(1.0, abs=1e-12)
        assert np.linalg.norm(nearest) <= np.linalg.norm(weights @ points) + 1e-12
        assert points[kept] @ nearest == pytest.approx(nearest @ nearest, abs=1e-10)  # as far as it can go in the hull
        dropped += len(kept) < 5
    assert dropped > 50
