"""How one tree is drafted by a model: every way of :mod:`specproof.theory.trees.drawn_trees`, by given numbers."""

from __future__ import annotations

from collections.abc import Callable

from specproof.simulations.samplers.inversion import invert_once
from specproof.theory.display import shown
from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.trees.branches import Branches, chain, likeliest_prefixes, likeliest_tokens, nested, without
from specproof.theory.trees.draft_trees import Node, NodeLaw
from specproof.theory.trees.drawn_trees import DRAWS, check_first_tokens


def drafted_tree(
    draws: str, draft: NodeLaw, num_drafts: int, length: int, uniforms: Array, depth: int | None = None
) -> Branches:
    """Draft a tree, or as much of it as is known before anything deeper is read.

    The law is asked for after nodes that a tree of one depth less has. Ways to draft that come to the same node with
    the same number go on alike.

    Parameters
    ----------
    draws : str
        A key of :data:`specproof.theory.trees.drawn_trees.DRAWS`.
    draft : callable
        The draft's law after a node.
    num_drafts, length : int
        K and L.
    uniforms : array, shape (K, L)
        Independent numbers in [0, 1).
    depth : int, optional
        Draft no deeper than this; by default down to L. A certain tree may lose nodes where more is read.

    Raises
    ------
    InvalidInput
        If there is no such way, a number is not an integer >= 1, the uniforms are fewer, or fewer first tokens can be
        drafted than have to be distinct.

    Examples
    --------
    >>> import numpy as np
    >>> numbers = np.array([[0.75, 0.25], [0.25, 0.75]])
    >>> drafted_tree("sequences", lambda node: np.array([0.5, 0.5]), 2, 2, numbers)
    ((1, ((0, ()),)), (0, ((1, ()),)))
    """
    if draws not in DRAWS:
        raise InvalidInput(f"draws is {shown(draws)}: it must be one of {', '.join(sorted(DRAWS))}")
    count, steps = one_num_drafts(num_drafts), positive_integer(length, "length")
    if draws in FIRST_TOKENS and (uniforms.ndim != 2 or uniforms.shape[0] < count or uniforms.shape[1] < steps):
        raise InvalidInput(f"uniforms has shape {uniforms.shape}: {count} drafts of {steps} tokens take {count, steps}")
    levels = steps if depth is None else depth
    if draws == "likeliest":
        return nested(likeliest_prefixes(draft, count * steps, levels))
    if draws == "greedy":
        way: Node = ()
        for _ in range(levels):
            way += likeliest_tokens(draft(way), 1)
        return chain(way)
    words = []
    for first, numbers in zip(FIRST_TOKENS[draws](draft(()), uniforms[:count, 0]), uniforms, strict=False):
        word: Node = (first,)
        for number in numbers[1:levels]:
            word += (_drawn(draft(word), number),)
        words.append(word)
    return tuple(branch for word in words for branch in chain(word))


def _independent(law: Array, numbers: Array) -> Node:
    return tuple(_drawn(law, number) for number in numbers)


def _distinct(law: Array, numbers: Array) -> Node:
    check_first_tokens(law, numbers.size)
    tokens: Node = ()
    for number in numbers:
        tokens += (_drawn(without(law, tokens), number),)
    return tokens


def _top_and_one(law: Array, numbers: Array) -> Node:
    check_first_tokens(law, numbers.size)
    certain = likeliest_tokens(law, numbers.size - 1)
    return (*certain, _drawn(without(law, certain), numbers[-1]))


def _hub(law: Array, numbers: Array) -> Node:
    check_first_tokens(law, 2)
    (centre,) = likeliest_tokens(law, 1)
    first = _drawn(law, numbers[0])
    return (first, centre) if first != centre else (centre, _drawn(without(law, (centre,)), numbers[1]))


def _drawn(law: Array, number: float) -> int:
    return int(invert_once(law, number))


FIRST_TOKENS: dict[str, Callable[[Array, Array], Node]] = {
    "sequences": _independent,
    "distinct": _distinct,
    "top-and-one": _top_and_one,
    "hub": _hub,
}
"""How the first tokens of K chains are drafted, by the law of the first token and a number for each."""
