"""Draft sequences: one level against a loop, whole blocks against the exact law.

Statistical tests: level 1e-8 each, 200,000 blocks, deviations of 0.02 in any probability are seen with 0.99 (each test
asserts it). Seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from chains import chains

from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.selection import Selection
from specproof.simulations.samplers.sequences import agreeing, complete, simulate, verify_level
from specproof.simulations.statistics import Check, check_law
from specproof.theory.chain import MarkovChain, random_markov_pair
from specproof.theory.distribution import dirichlet
from specproof.theory.errors import InvalidInput
from specproof.theory.sequences import accepted_length_law

LEVEL, BLOCKS, RESOLUTION = 1e-8, 200_000, 0.02
PAIR = random_markov_pair(3, 4, np.random.default_rng(81), concentration=0.5)
COUNT, LENGTH = 3, 2


def checked(values: np.ndarray, law: np.ndarray) -> Check:
    check = check_law(values, law, LEVEL)
    assert check.detectable <= RESOLUTION
    return check


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_level_is_the_rule_for_the_living(name: str) -> None:
    rng, trials, most = np.random.default_rng(82), 400, 4
    draft, target = dirichlet(5, 0.5, rng, trials), dirichlet(5, 0.5, rng, trials)
    drafts = np.stack([invert(draft, rng.random(trials)) for _ in range(most)], axis=-1)
    alive = rng.random((trials, most)) < 0.6
    alive[np.arange(trials), rng.integers(most, size=trials)] = True
    uniforms = rng.random((trials, most + 1))
    found = verify_level(draft, target, np.where(alive, drafts, 0), alive, uniforms, SAMPLERS[name])
    for row in range(trials):
        places = np.flatnonzero(alive[row])
        own = np.append(uniforms[row, : places.size], uniforms[row, -1])
        one = SAMPLERS[name](draft[row : row + 1], target[row : row + 1], drafts[row : row + 1, places], own[None])
        assert found.tokens[row] == one.tokens[0]
        assert found.accepted[row] == (places[one.accepted[0]] if one.accepted[0] >= 0 else -1)
    in_torch = verify_level(*map(torch.asarray, (draft, target, drafts, alive, uniforms)), SAMPLERS[name])
    assert in_torch.tokens.tolist() == found.tokens.tolist()
    assert in_torch.accepted.tolist() == found.accepted.tolist()


def test_who_lives_on() -> None:
    alive = np.array([[True, True, False], [True, True, True], [True, False, True]])
    drafts = np.array([[1, 1, 1], [0, 2, 0], [0, 0, 1]])
    selection = Selection(np.array([1, 0, 0]), np.array([1, 2, -1]))
    assert agreeing(alive, drafts, selection).tolist() == [[True, True, False], [True, False, True], [False] * 3]


@pytest.mark.parametrize("name", SAMPLERS)
def test_accepted_lengths_and_texts_follow_their_laws(name: str) -> None:
    draft, target = PAIR
    rng = np.random.default_rng(83)
    blocks = simulate(draft, target, COUNT, LENGTH, BLOCKS, rng, SAMPLERS[name])
    assert not checked(blocks.accepted, accepted_length_law(draft, target, COUNT, LENGTH, name)).is_refuted
    written = np.arange(LENGTH + 1) <= blocks.accepted[:, np.newaxis]
    assert ((blocks.tokens >= 0) == written).all()
    whole = complete(blocks, target, rng)
    assert (whole[written] == blocks.tokens[written]).all()
    texts = np.ravel_multi_index(tuple(whole.T), (3,) * (LENGTH + 1))
    joint = target.tabulate().joint().sum(axis=-1)
    assert not checked(texts, joint.ravel()).is_refuted


def test_a_rule_that_follows_one_sequence_alone_is_told() -> None:
    """The accepted one goes on without its copies: lossless, and yet of shorter blocks."""

    def one_alone(alive: np.ndarray, drafts: np.ndarray, selection: Selection) -> np.ndarray:
        return np.arange(drafts.shape[1]) == selection.accepted[:, np.newaxis]

    rng = np.random.default_rng(84)
    blocks = simulate(*PAIR, COUNT, LENGTH, BLOCKS, rng, SAMPLERS["kseq"], one_alone)
    assert checked(blocks.accepted, accepted_length_law(*PAIR, COUNT, LENGTH, "kseq")).is_refuted


@pytest.mark.parametrize("verifier", SAMPLERS)
@pytest.mark.parametrize("name", [name for name, pair in chains().items() if pair[0].horizon > 2])
def test_no_block_holds_what_the_target_cannot_emit(name: str, verifier: str) -> None:
    draft, target = chains()[name]
    rng = np.random.default_rng(85)
    blocks = simulate(draft, target, 2, 2, 500, rng, SAMPLERS[verifier])
    texts = complete(blocks, target, rng)
    joint = target.tabulate().joint()
    law = joint.sum(axis=tuple(range(3, joint.ndim)))
    assert (law[tuple(texts.T)] > 0).all()
    if name == "equal":
        assert (blocks.accepted == 2).all()


def test_chains_that_differ_are_refused() -> None:
    longer = MarkovChain(PAIR[1].initial, np.tile(PAIR[1].initial, (3, 1)), 6)
    with pytest.raises(InvalidInput, match="horizon"):
        simulate(PAIR[0], longer, 2, 2, 10, np.random.default_rng(0), SAMPLERS["kseq"])
