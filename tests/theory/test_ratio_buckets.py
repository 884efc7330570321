"""The least cut without a sort: the same as over the sorted tokens, and over all of them in rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specproof.conformance.strategies import Pair, rough_pairs, with_degenerate
from specproof.theory import ratio_buckets
from specproof.theory.distribution import Array, as_pair, dirichlet, softmax
from specproof.theory.drafts import hit_probability
from specproof.theory.ratio import sort_by_ratio
from specproof.theory.ratio_buckets import cut_items
from specproof.theory.transport import minimum_cut, optimal_acceptance

COUNTS = np.array([1, 2, 3, 8, 64])
LARGE = 20_000


def bucketed(draft: Array, target: Array) -> Array:
    items = cut_items(draft, target, COUNTS)
    return np.array([(items.target_tail + hit_probability(items.draft_head, int(k))).min() for k in COUNTS])


def sorted_(draft: Array, target: Array) -> Array:
    by_ratio = sort_by_ratio(draft[np.newaxis], target[np.newaxis])
    return np.array(
        [(by_ratio.target_tail + hit_probability(by_ratio.draft_head, int(k))).min() for k in COUNTS],
    )


def exact(draft: Array, target: Array, count: int) -> float:
    """The least q(A) + 1 - p(A)^k over the suffixes of the exact order."""
    p, q = ([Fraction(float(each)) for each in row] for row in (draft, target))
    infinite = Fraction(2) ** 3000
    order = sorted(range(len(p)), key=lambda i: q[i] / p[i] if p[i] else (infinite if q[i] else -1))
    inside, emitted, best = Fraction(0), Fraction(0), Fraction(1)
    for token in order:
        inside, emitted = inside + p[token], emitted + q[token]
        best = min(best, emitted + 1 - inside**count)
    return float(best)


@given(pair=rough_pairs(), buckets=st.sampled_from([2, 4, 4096]))
@with_degenerate(buckets=2)
def test_the_items_have_the_least_cut_of_the_tokens(pair: Pair, buckets: int) -> None:
    draft, target = as_pair(*pair)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ratio_buckets, "BUCKETS", buckets)
        found = bucketed(draft, target)
    wanted = [exact(draft, target, int(count)) for count in COUNTS]
    assert np.allclose(found, wanted, rtol=0, atol=1e-14)


def test_a_bucket_inside_which_the_least_cut_lies_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one bucket for all that is drafted its ends, 1 and g(1), are the only cuts that need no opening."""
    monkeypatch.setattr(ratio_buckets, "BUCKETS", 2)
    draft, target = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    items = cut_items(draft, target, np.array([1]))
    assert items.ratio.tolist() == [0.5]  # the other's ratio is above k = 1, which puts it into every head
    assert items.draft_head.tolist() == [0.5, 1.0]
    assert items.target_tail.tolist() == [0.25, 0.0]


def families() -> dict[str, tuple[Array, Array]]:
    rng = np.random.default_rng(16)
    logits = 3.0 * rng.normal(size=LARGE)
    flat, even = np.full(LARGE, 1.0 / LARGE), softmax(logits)
    halves = np.where(np.arange(LARGE) % 2 == 0, 2.0, 0.0) / LARGE
    steps = even * np.repeat(2.0 ** np.arange(-10, 10), LARGE // 20)  # twenty ratios, a thousand tokens each
    shifted = logits + 1e-3 * rng.normal(size=LARGE)
    shifted[0], shifted[1] = shifted[0] - 60.0, shifted[1] + 3.0  # two outliers put all else into one bucket
    denormal = dirichlet(LARGE, 0.02, rng)
    return {
        "log-normal": (even, softmax(logits + rng.normal(size=LARGE))),
        "equal": (even, even),
        "nearly equal": (flat, flat * (1 + 1e-9 * rng.normal(size=LARGE))),
        "disjoint": (halves, np.roll(halves, 1)),
        "ties": (even, steps),
        "outliers": (even, softmax(shifted)),
        "denormal": (denormal, dirichlet(LARGE, 0.02, rng)),
        "rare in the draft": (np.append(np.full(LARGE - 1, 1e-320), 1.0), flat),
    }


@pytest.mark.parametrize("name", families())
def test_at_size_the_cut_is_that_of_the_sort(name: str) -> None:
    draft, target = as_pair(*(row / row.sum() for row in families()[name]))
    assert np.abs(bucketed(draft, target) - sorted_(draft, target)).max() <= 1e-13
    turned = np.random.default_rng(3).permutation(LARGE)
    assert np.abs(bucketed(draft[turned], target[turned]) - bucketed(draft, target)).max() <= 1e-13


@pytest.mark.parametrize("name", families())
def test_the_set_has_the_value_and_few_items_are_looked_at(name: str) -> None:
    draft, target = as_pair(*(row / row.sum() for row in families()[name]))
    inside = minimum_cut(draft, target, COUNTS)
    values = [target[a].sum() + hit_probability(draft[~a].sum(), int(k)) for a, k in zip(inside, COUNTS, strict=True)]
    assert np.abs(values - optimal_acceptance(draft, target, COUNTS)).max() <= 1e-13
    assert cut_items(draft, target, COUNTS).ratio.size <= (LARGE if name == "outliers" else 3 * 4096)


def test_several_local_minima() -> None:
    """With k = 3, g rises steeply at first and q/p in steps: the cut has several stationary points."""
    draft = np.repeat([0.02, 0.3, 0.3, 0.38], 2_000) / 2_000
    target = np.repeat([0.059, 0.32, 0.29, 0.331], 2_000) / 2_000
    draft, target = as_pair(draft, target)
    assert np.abs(bucketed(draft, target) - sorted_(draft, target)).max() <= 1e-13


def test_rows_on_threads_are_rows_alone() -> None:
    rng = np.random.default_rng(4)
    draft, target = dirichlet(40_000, 0.3, rng, 5), dirichlet(40_000, 0.3, rng, 5)
    together = optimal_acceptance(draft, target, [1, 4])
    alone = [optimal_acceptance(*pair, [1, 4]) for pair in zip(draft, target, strict=True)]
    assert np.array_equal(together, alone)
