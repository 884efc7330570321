"""Decoding loops whose rows have seeds of their own: each token is drawn by a number that its row's seed gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.next_token import next_token_law
from specproof.simulations.samplers.inversion import invert
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array

Keys = NDArray[np.uint64]
"""Numbers of 64 bits, one a row."""
Stream = Callable[[Keys, int], Keys]
"""The key of each row at a step, from the rows' seeds."""


def mixed(keys: Keys) -> Keys:
    """Scatter numbers of 64 bits: the finaliser of SplitMix64 [1]_.

    References
    ----------
    .. [1] Steele, G. L., Lea, D., Flood, C. H. (2014). Fast splittable pseudorandom number generators. *OOPSLA*.
    """
    first = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    second = (first ^ (first >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    scattered: Keys = second ^ (second >> np.uint64(31))
    return scattered


def stream_of_each_seed(seeds: Keys, step: int) -> Keys:
    """Give each seed a stream of its own, however near they are."""
    return mixed(seeds) + np.uint64(step)


def seed_plus_step(seeds: Keys, step: int) -> Keys:
    """Add the step to the seed, so that the next seed's stream is this one's, a step later."""
    return seeds + np.uint64(step)


def by_row_seeds(stream: Stream) -> Callable[..., Tokens]:
    """Make a loop of the contract generate that draws each token from the target by its row's stream.

    That a draft is emitted where it is that token makes the loop a speculative one and changes nothing of its texts.
    """

    def generate(
        draft_model: TabularModel,
        target_model: TabularModel,
        prompt: tuple[int, ...],
        length: int,
        n: int,
        rng: np.random.Generator,
        seeds: Tokens,
    ) -> Tokens:
        del draft_model, rng
        texts, keys = np.tile(np.array(prompt, dtype=np.int64), (n, 1)), seeds.astype(np.uint64)
        for step in range(length):
            uniforms: Array = np.ldexp((mixed(mixed(stream(keys, step))) >> np.uint64(11)).astype(np.float64), -53)
            tokens = invert(next_token_law(target_model, texts), uniforms)
            texts = np.concatenate([texts, tokens[:, np.newaxis]], axis=1)
        return texts[:, len(prompt) :]

    return generate
