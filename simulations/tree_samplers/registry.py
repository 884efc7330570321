"""The registry of samplers of drafted trees, and calls that are drafted and verified many times over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache, partial

import numpy as np

from specproof.simulations.samplers.inversion import cumulative_shares, invert_after
from specproof.simulations.tree_samplers.drafted import Drafted, Draws, RandomDraws
from specproof.theory.chain import Chain
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.registry import Registry
from specproof.theory.trees.draft_trees import Node, next_token_law
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.trees.rules.registry import drawn_for

TreeSampler = Callable[[Drafted, Draws], Node]
"""``sample(tree, draws)``: the tokens that a call emits, of which the last is the rule's own."""

TREE_SAMPLERS: Registry[TreeSampler] = Registry("verifier")
"""All samplers of drafted trees by the name of their rule in ``TREE_VERIFIERS``."""


def register_tree_sampler(name: str, sampler: TreeSampler) -> None:
    """Let a registered rule for trees be drawn from.

    Raises
    ------
    InvalidInput
        If no rule has this name, it has another sampler already, or the sampler cannot be called.

    Examples
    --------
    >>> from specproof.simulations.tree_samplers import TREE_SAMPLERS
    >>> register_tree_sampler("traversal", TREE_SAMPLERS["traversal"])  # as it already is: nothing changes
    """
    if name not in TREE_VERIFIERS:
        raise InvalidInput(f"name is {name!r} and no rule for trees has it: register the rule before its sampler")
    if not callable(sampler):
        raise InvalidInput(f"sampler is {sampler!r}: give a function sample(tree, draws)")
    TREE_SAMPLERS.add(name, sampler)


def simulate_calls(
    name: str,
    draft: Chain,
    target: Chain,
    num_drafts: int,
    length: int,
    trials: int,
    rng: np.random.Generator,
    sampler: TreeSampler | None = None,
) -> Counter[Node]:
    """Draft a tree from the models' start as a rule wants it, verify it, and count what is emitted.

    Parameters
    ----------
    name : str
        A name in ``TREE_VERIFIERS``.
    draft, target : MarkovChain or TabularModel
        As for :func:`specproof.call_law`.
    num_drafts, length, trials : int
        K, L, and the number of independent calls, each >= 1.
    rng : numpy Generator
    sampler : callable, optional
        What verifies the trees; another than the rule's own makes a broken control.

    Raises
    ------
    InvalidInput
        As :func:`specproof.call_law`, if the rule has no sampler, or trials is not an integer >= 1.

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> model = MarkovChain([0.5, 0.5], [[0.5, 0.5]] * 2, 2)
    >>> counts = simulate_calls("traversal", model, model, 1, 1, trials=100, rng=np.random.default_rng(0))
    >>> counts.total(), {len(node) for node in counts}
    (100, {2})
    """
    drawn = drawn_for(TREE_VERIFIERS.named(name), draft, target, num_drafts, length)
    sample = TREE_SAMPLERS.named(name) if sampler is None else sampler
    count = positive_integer(trials, "trials")
    shares = cumulative_shares(np.array([[chance for _, chance in drawn]]))
    chosen = invert_after(shares, np.zeros(count, dtype=np.int64), rng.random(count))
    laws = (cache(partial(next_token_law, model)) for model in (draft, target))
    ours, theirs = laws
    draws = RandomDraws(rng)
    return Counter(sample(Drafted(drawn[place][0], ours, theirs), draws) for place in chosen)
