"""Block efficiency and accepted lengths: against draws by hand, in closed cases, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from chains import FLIP, chains
from hypothesis import given, settings
from hypothesis import strategies as st
from spectr import RULES, chain_pairs, enumerate_by_hand

from specproof.theory.chain import MarkovChain, random_markov_pair, random_tabular_pair
from specproof.theory.distribution import total_variation
from specproof.theory.draft_length import expected_tokens
from specproof.theory.errors import InvalidInput
from specproof.theory.sequences import accepted_length_law, block_efficiency, long_run
from specproof.theory.verifiers import VERIFIERS

TOLERANCE = 1e-12
RNG = np.random.default_rng(71)
PAIR = random_markov_pair(3, 4, RNG)
STILL = random_markov_pair(3, 4, RNG, stationary=True)


@given(pair=chain_pairs(horizon=3), num_drafts=st.integers(1, 2), length=st.integers(1, 2))
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("name", RULES)
def test_accepted_lengths_against_all_forests(name: str, pair: Any, num_drafts: int, length: int) -> None:
    _, lengths = enumerate_by_hand(RULES[name], *pair, num_drafts, length)
    assert accepted_length_law(*pair, num_drafts, length, name) == pytest.approx(lengths, abs=TOLERANCE)
    mean = 1.0 + float(lengths @ np.arange(length + 1))
    assert block_efficiency(*pair, num_drafts, length, name) == pytest.approx(mean, abs=TOLERANCE)


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("name", [name for name, pair in chains().items() if pair[0].horizon > 2])
def test_a_law_and_its_mean(name: str, verifier: str) -> None:
    draft, target = chains()[name]
    law = accepted_length_law(draft, target, 3, 2, verifier)
    assert law.min() >= 0.0
    assert law.sum() == pytest.approx(1.0, abs=TOLERANCE)
    mean = block_efficiency(draft, target, 3, 2, verifier)
    assert mean == pytest.approx(1.0 + law @ np.arange(3), abs=TOLERANCE)
    assert mean == pytest.approx(block_efficiency(draft, target, 3, 2, VERIFIERS[verifier]), abs=0)
    if name == "equal":
        assert mean == pytest.approx(3.0, abs=TOLERANCE)
    if name == "disjoint starts":
        assert law == pytest.approx([1.0, 0.0, 0.0], abs=0)


@pytest.mark.parametrize("verifier", VERIFIERS)
def test_one_draft_of_independent_tokens_is_the_geometric_formula(verifier: str) -> None:
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    draft, target = (MarkovChain(law, np.tile(law, (3, 1)), 6) for law in (p, q))
    known = expected_tokens(float(1.0 - total_variation(p, q)), 5)
    assert block_efficiency(draft, target, 1, 5, verifier) == pytest.approx(known, abs=TOLERANCE)


@pytest.mark.parametrize("verifier", VERIFIERS)
def test_a_tabular_model_of_a_chain_is_the_chain(verifier: str) -> None:
    tables = [chain.tabulate() for chain in PAIR]
    found, known = (accepted_length_law(*pair, 2, 3, verifier) for pair in (tables, PAIR))
    assert found == pytest.approx(known, abs=TOLERANCE)


@pytest.mark.parametrize("verifier", VERIFIERS)
def test_a_context_is_a_start_from_its_row(verifier: str) -> None:
    draft, target = STILL
    for last in range(3):
        start = [MarkovChain(chain.transitions[last], chain.transitions, 4) for chain in (draft, target)]
        known = accepted_length_law(*start, 2, 3, verifier)
        assert accepted_length_law(draft, target, 2, 3, verifier, np.eye(3)[last]) == pytest.approx(
            known, abs=TOLERANCE
        )
    # No horizon bounds a block that starts from a context.
    assert block_efficiency(draft, target, 2, 9, verifier, [1.0, 0.0, 0.0]) >= 1.0


@pytest.mark.parametrize("verifier", VERIFIERS)
def test_the_long_run_repeats_itself(verifier: str) -> None:
    draft, target = STILL
    found = long_run(draft, target, 2, 3, verifier)
    assert found.contexts.sum() == pytest.approx(1.0, abs=TOLERANCE)
    each = [block_efficiency(draft, target, 2, 3, verifier, np.eye(3)[last]) for last in range(3)]
    assert found.by_context == pytest.approx(each, abs=TOLERANCE)
    assert found.efficiency == pytest.approx(found.contexts @ np.array(each), abs=TOLERANCE)
    assert block_efficiency(draft, target, 2, 3, verifier, found.contexts) == pytest.approx(found.efficiency, abs=1e-12)


def test_a_long_run_of_equal_chains_is_the_stationary_law_of_every_fourth_token() -> None:
    chain = MarkovChain([1.0, 0.0], FLIP, 4)
    found = long_run(chain, chain, 2, 3, "kseq")
    assert found.efficiency == pytest.approx(4.0, abs=TOLERANCE)
    assert found.contexts == pytest.approx([2 / 3, 1 / 3], abs=TOLERANCE)


def test_a_long_run_that_depends_on_its_start_is_refused() -> None:
    apart = MarkovChain([0.5, 0.5], np.eye(2), 4)
    with pytest.raises(InvalidInput, match="2 closed classes"):
        long_run(apart, apart, 1, 1, "single")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*PAIR, 0, 2, "kseq"), "num_drafts is 0"),
        ((*PAIR, 2, 0, "kseq"), "length is 0: it must be an integer >= 1"),
        ((*PAIR, 2, 1.5, "kseq"), r"length is 1\.5: it must be an integer >= 1"),
        ((*PAIR, 2, True, "kseq"), "length is True"),
        ((*PAIR, 2, "a", "kseq"), "length is 'a'"),
        ((*PAIR, 2, 4, "kseq"), "length is 4 but the models have horizon 4"),
        ((*PAIR, 2, 2, "best"), "verifier is 'best': it must be one of kseq, priority"),
        ((PAIR[0], random_markov_pair(2, 4, RNG)[1], 2, 2, "kseq"), "num_states"),
        ((PAIR[0], random_markov_pair(3, 5, RNG)[1], 2, 2, "kseq"), "horizon"),
        ((PAIR[0], random_tabular_pair(3, 4, RNG)[1], 2, 2, "kseq"), "TabularModel"),
        ((*PAIR, 2, 2, "kseq", [1.0, 0.0, 0.0]), "one transition matrix"),
        ((*STILL, 2, 2, "kseq", [1.0, 0.0]), r"context has shape \(2,\)"),
        ((*STILL, 2, 2, "kseq", [0.5, 0.0, 0.0]), r"context sums to 0\.5"),
    ],
)
def test_what_is_no_block_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    for function in (accepted_length_law, block_efficiency):
        with pytest.raises(InvalidInput, match=message):
            function(*arguments)


def test_a_long_run_needs_one_matrix_each() -> None:
    with pytest.raises(InvalidInput, match="one transition matrix"):
        long_run(*PAIR, 2, 2, "kseq")
