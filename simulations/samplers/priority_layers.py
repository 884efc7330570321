"""Priority layer verification of drafted trees: the sampler of :mod:`specproof.theory.trees.priority_layers`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.samplers.inversion import cumulative_shares, invert_after, invert_once
from specproof.simulations.samplers.rejections import paired_steps
from specproof.simulations.samplers.sequences import Blocks
from specproof.simulations.samplers.whole_blocks import accepted_length
from specproof.theory.chain import MarkovChain, check_same_size
from specproof.theory.compiled import compiled
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.trees.layer_tree import LayerTree
from specproof.theory.trees.priority_layers import PriorityLayers, weigh_layers


class Layered(NamedTuple):
    """What was kept of each drafted tree, and the token that follows it."""

    accepted: NDArray[np.int64]
    """How deep it is kept, shape (n,)."""
    draft: NDArray[np.int64]
    """The draft that ends what is kept, or -1 where nothing is, shape (n,): the first of those that are one node."""
    tokens: NDArray[np.int64]
    """The token emitted after it, shape (n,)."""


LayerSampler = Callable[[Array, Array, NDArray[np.int64], Array, LayerTree], Layered]
"""``verify(draft, target, drafts, uniforms, tree)``, as :func:`verify`."""


def verify(
    draft: Array, target: Array, drafts: NDArray[np.int64], uniforms: Array, tree: LayerTree, tolerance: float = 0.0
) -> Layered:
    """Verify n drafted trees of one shape; distributions and tokens are trusted.

    Parameters
    ----------
    draft : array, shape (n, R, V)
        The distributions that the tokens were drawn from, after the root and after draft 0, 1, ..., down to the last
        that is followed by others. A row of zeros ends the tree at its node.
    target : array, shape (n, N + 1, V)
        The distributions to emit from, after the root and after each of the N drafts.
    drafts : array of int64, shape (n, N)
        The drafted tokens.
    uniforms : array, shape (n, L + 1)
        Independent numbers in [0, 1): one to stop with at each depth, and the one of the node and the last token.
    tree : LayerTree
    tolerance : float
        As for :class:`~specproof.theory.verifiers.priority.PriorityCoupling`.

    Raises
    ------
    InvalidInput
        If rows are missing, or the shapes of the arrays do not go together.

    Examples
    --------
    >>> rows = np.array([[[0.5, 0.5]]]), np.array([[[0.25, 0.75], [1.0, 0.0], [0.0, 1.0]]])
    >>> verify(*rows, np.array([[0, 1]]), np.array([[0.5, 0.5]]), LayerTree((-1, -1)))
    Layered(accepted=array([1]), draft=array([1]), tokens=array([1]))
    """
    count, width = len(drafts), len(tree.parents)
    for name, array, needed in (
        ("drafts", drafts, (count, width)),
        ("draft", draft, (count, max(draft.shape[1], tree.parent_rows), target.shape[-1])),
        ("target", target, (count, width + 1, target.shape[-1])),
        ("uniforms", uniforms, (count, tree.length + 1)),
    ):
        if array.shape != needed:
            raise InvalidInput(f"{name} has shape {array.shape}: {count} trees of {width} drafts take {needed}")
    return choose(weigh_layers(draft, target, drafts, tree, tolerance), uniforms)


def choose(layers: PriorityLayers, uniforms: Array) -> Layered:
    """Leave weighed trees with given uniforms, shape (n, L + 1), as for :func:`verify`."""
    kept = np.asarray(accepted_length(layers.weights, layers.masses, uniforms))
    drafts, tokens = np.empty((2, kept.size), dtype=np.int64)
    for depth in np.unique(kept):
        nodes, trees = layers.nodes[depth], np.flatnonzero(kept == depth)
        first, end = (np.searchsorted(nodes.tree, trees, side=side) for side in ("left", "right"))
        places = np.empty(trees.size, dtype=np.int64)
        _invert(nodes.rejected, first, end, uniforms[trees, -1], places)
        drafts[trees], tokens[trees] = nodes.draft[first + places // nodes.rejected.shape[1]], places
    return Layered(kept, drafts, tokens % layers.nodes[0].rejected.shape[1])


@compiled()
def _invert(
    rejected: Array, first: NDArray[np.int64], end: NDArray[np.int64], uniforms: Array, places: NDArray[np.int64]
) -> None:
    for tree in range(first.size):
        places[tree] = invert_once(rejected[first[tree] : end[tree]].reshape(-1), uniforms[tree])


def simulate_layers(
    draft: MarkovChain,
    target: MarkovChain,
    tree: LayerTree,
    trials: int,
    rng: np.random.Generator,
    sampler: LayerSampler = verify,
) -> Blocks:
    """Draft trees from the start of a chain and verify them, many times over.

    Parameters
    ----------
    draft, target : MarkovChain
        Of one size and horizon, at least L + 1.
    tree : LayerTree
        What is drafted, such as ``LayerTree.sequences(K, L)``.
    trials : int
        The number of independent trees, >= 1.
    rng : numpy Generator
    sampler : callable, optional
        What verifies the trees; another than the rule's own makes a broken control.

    Raises
    ------
    InvalidInput
        If the two are not Markov chains or differ in size or horizon, trials is not an integer >= 1, or the tree's
        depth is not below the horizon.
    """
    check_same_size(draft, target, MarkovChain)
    trials = positive_integer(trials, "trials")
    if tree.length >= target.horizon:
        raise InvalidInput(f"tree has depth {tree.length}: it must lie in 1..horizon - 1 = {target.horizon - 1}")
    proposal, law = paired_steps(draft, target)
    shares = cumulative_shares(proposal)
    known = np.zeros((trials, len(tree.parents) + 1), dtype=np.int64)  # with a column for what stands before
    steps = np.minimum((0, *tree.depths), law.shape[0] - 1)
    parents = np.array(tree.parents) + 1
    for place, parent in enumerate(parents, start=1):
        known[:, place] = invert_after(shares[steps[parent]], known[:, parent], rng.random(trials))
    uniforms = rng.random((trials, tree.length + 1))
    following = slice(tree.parent_rows)
    ours = proposal[steps[following], known[:, following]]
    drafts = np.ascontiguousarray(known[:, 1:])
    return _laid_out(known, tree, sampler(ours, law[steps, known], drafts, uniforms, tree))


def _laid_out(known: NDArray[np.int64], tree: LayerTree, found: Layered) -> Blocks:
    """Write out the tokens on the way to what is kept, and the token after it."""
    trials = np.arange(len(known))
    tokens = np.full((len(known), tree.length + 1), -1)
    tokens[trials, found.accepted] = found.tokens
    place, above = found.draft + 1, np.append(0, np.array(tree.parents) + 1)
    for depth in reversed(range(tree.length)):
        inside = depth < found.accepted
        tokens[inside, depth] = known[inside, place[inside]]
        place = np.where(inside, above[place], place)
    return Blocks(tokens, found.accepted)
