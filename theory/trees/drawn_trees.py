r"""How trees are drafted, and every tree that may come of it, as ordered branches with their probabilities.

A drafted tree is a tuple of branches in the order of drafting, each a token and what was drafted after it. Siblings may
be equal: K sequences are K branches from the root, each a chain, and a rule merges those that agree where it merges.

=====================  =================================================================================================
``sequences``          K i.i.d. sequences of L tokens
``distinct``           K distinct first tokens drawn without replacement, after each a chain
``top-and-one``        the K - 1 likeliest first tokens and one drawn from the others, after each a chain
``hub``                two first tokens, one of which is the likeliest (SpecHub), after each a chain
``likeliest``          the K L likeliest prefixes of at most L tokens: a certain tree
``greedy``             the chain of likeliest tokens: a certain path
=====================  =================================================================================================

All but the last hold K L tokens, so that rules for different draws compare at one price.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations, product

import numpy as np

from specproof.theory.chain import Chain
from specproof.theory.display import shown
from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.trees.branches import ListedTrees, chain, likeliest_prefixes, likeliest_tokens, nested, without
from specproof.theory.trees.draft_trees import Node, laws_of, next_token_law

MOST_TREES = 100_000
"""At most so many drafted trees are listed."""


def sequences(draft: Chain, num_drafts: int, length: int) -> ListedTrees:
    """K i.i.d. sequences of L tokens.

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> sequences(MarkovChain([0.5, 0.5], [[0.5, 0.5]] * 2, 2), num_drafts=1, length=1)
    [(((0, ()),), 0.5), (((1, ()),), 0.5)]
    """
    return _joined([_chains(draft, (), length)] * num_drafts)


def distinct(draft: Chain, num_drafts: int, length: int) -> ListedTrees:
    """K distinct first tokens, drawn one after the other without replacement, and a chain after each."""
    law = next_token_law(draft, ())
    check_first_tokens(law, num_drafts)
    firsts = []
    for tokens in permutations(map(int, np.flatnonzero(law)), num_drafts):
        left, chance = law, 1.0
        for token in tokens:
            chance, left = chance * float(left[token]), without(left, (token,))
        firsts.append((tokens, chance))
    return _with_chains(draft, firsts, length)


def top_and_one(draft: Chain, num_drafts: int, length: int) -> ListedTrees:
    """The K - 1 likeliest first tokens and one drawn from the others, and a chain after each."""
    law = next_token_law(draft, ())
    check_first_tokens(law, num_drafts)
    certain = likeliest_tokens(law, num_drafts - 1)
    others = without(law, certain)
    firsts = [((*certain, int(token)), float(others[token])) for token in np.flatnonzero(others)]
    return _with_chains(draft, firsts, length)


def hub(draft: Chain, num_drafts: int, length: int) -> ListedTrees:
    """SpecHub's pairs: with a the likeliest token, (i, a) with probability p(i), (a, i) with p(a) p(i) / (1 - p(a))."""
    law = next_token_law(draft, ())
    check_first_tokens(law, num_drafts)
    (centre,) = likeliest_tokens(law, 1)
    others = without(law, (centre,))
    firsts: list[tuple[Node, float]] = []
    for token in map(int, np.flatnonzero(others)):
        firsts += [((token, centre), float(law[token])), ((centre, token), float(law[centre] * others[token]))]
    return _with_chains(draft, firsts, length)


def likeliest(draft: Chain, num_drafts: int, length: int) -> ListedTrees:
    """The certain tree of the K L likeliest prefixes of at most L tokens; fewer where no more can be drafted."""
    chosen = likeliest_prefixes(laws_of(draft), num_drafts * length, length)
    return [(nested(chosen), 1.0)]


def greedy(draft: Chain, _: int, length: int) -> ListedTrees:
    """The path of likeliest tokens, whatever K is."""
    way: Node = ()
    for _ in range(length):
        way += likeliest_tokens(next_token_law(draft, way), 1)
    return [(chain(way), 1.0)]


DRAWS: dict[str, Callable[[Chain, int, int], ListedTrees]] = {
    "sequences": sequences,
    "distinct": distinct,
    "top-and-one": top_and_one,
    "hub": hub,
    "likeliest": likeliest,
    "greedy": greedy,
}
"""Every way to draft a tree, by name."""


def drawn_trees(draws: str, draft: Chain, num_drafts: int, length: int) -> ListedTrees:
    """Every tree that may be drafted in one of the ways of ``DRAWS``, with its probability.

    Parameters
    ----------
    draws : str
        A key of ``DRAWS``.
    draft : MarkovChain or TabularModel
    num_drafts, length : int
        K and L, each at least 1.

    Raises
    ------
    InvalidInput
        If there is no such way, a number is not an integer >= 1, the model's horizon is below L, fewer first tokens can
        be drafted than have to be distinct, or the trees are more than ``MOST_TREES``.

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> draft = MarkovChain([0.75, 0.25], [[0.5, 0.5]] * 2, 2)
    >>> drawn_trees("distinct", draft, num_drafts=2, length=1)
    [(((0, ()), (1, ())), 0.75), (((1, ()), (0, ())), 0.25)]
    """
    if draws not in DRAWS:
        raise InvalidInput(f"draws is {shown(draws)}: it must be one of {', '.join(sorted(DRAWS))}")
    count, steps = one_num_drafts(num_drafts), positive_integer(length, "length")
    if draft.horizon < steps:
        raise InvalidInput(f"length is {shown(steps)} but draft has horizon {draft.horizon}: take a longer horizon")
    if count > MOST_TREES:
        raise InvalidInput(f"num_drafts is {shown(count)}: trees are listed for at most {MOST_TREES:,} drafts")
    return DRAWS[draws](draft, count, steps)


def _chains(draft: Chain, way: Node, steps: int) -> ListedTrees:
    """Every chain of so many tokens after a node."""
    if steps == 0:
        return [((), 1.0)]
    law = next_token_law(draft, way)
    return [
        (((token, after),), float(law[token]) * chance)
        for token in map(int, np.flatnonzero(law))
        for after, chance in _chains(draft, (*way, token), steps - 1)
    ]


def _joined(parts: list[ListedTrees]) -> ListedTrees:
    """Every choice of one entry of each part: branches side by side, probabilities multiplied."""
    if sum(math.log(len(part)) for part in parts if part) > math.log(MOST_TREES):
        raise InvalidInput(
            f"num_drafts is {len(parts)}, and the drafts make more than {MOST_TREES:,} trees: "
            "take fewer drafts, fewer tokens or a shorter length"
        )
    joined = []
    for choice in product(*parts):
        branches = tuple(branch for part, _ in choice for branch in part)
        joined.append((branches, float(np.prod([chance for _, chance in choice]))))
    return joined


def _with_chains(draft: Chain, firsts: list[tuple[Node, float]], length: int) -> ListedTrees:
    """Tuples of first tokens with their probabilities, and after each token a chain of L - 1."""
    drawn: ListedTrees = []
    for tokens, first in firsts:
        after = [_chains(draft, (token,), length - 1) for token in tokens]
        tops: list[ListedTrees] = [
            [(((token, rest),), chance) for rest, chance in part] for token, part in zip(tokens, after, strict=True)
        ]
        drawn += [(branches, first * chance) for branches, chance in _joined(tops)]
        if len(drawn) > MOST_TREES:
            raise InvalidInput(f"length is {length}, and the drafts make more than {MOST_TREES:,} trees: draft less")
    return drawn


def check_first_tokens(law: Array, num_drafts: int) -> None:
    """Refuse to draft more distinct tokens from a law of shape (V,) than can come.

    Raises
    ------
    InvalidInput
        If fewer have a probability above 0.

    Examples
    --------
    >>> check_first_tokens(np.array([0.5, 0.5, 0.0]), num_drafts=2)
    """
    possible = np.count_nonzero(law)
    if possible < num_drafts:
        raise InvalidInput(
            f"num_drafts is {num_drafts}, and only {possible} first tokens can be drafted: "
            "take as many distinct drafts at most"
        )
