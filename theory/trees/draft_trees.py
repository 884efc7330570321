"""The law of what is drafted in one call: a tree of tokens, merged over all that yields the same tree."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from specproof.theory.chain import Chain, MarkovChain, check_model
from specproof.theory.display import html_record, one_line, shown
from specproof.theory.distribution import Array, as_distribution
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.transport.draft_sets import DraftSets

Node = tuple[int, ...]
"""A node of a tree is the tokens on the way to it; the root is ()."""

NodeLaw = Callable[[Node], Array]
"""The law of the token after a node, shape (V,)."""

MOST_SEQUENCES = 4096
"""The draft sequences of one length may be at most so many."""


@dataclass(frozen=True, eq=False, repr=False)
class DraftTrees:
    """The law of the tree that is drafted in one call.

    Attributes
    ----------
    trees : tuple of frozenset of Node
        Each holds, with a node, the nodes on the way to it; the root is left out.
    probability : array, shape (trees,)
        The tree is drafted with this probability.
    length : int
        L, the depth of the deepest node.

    Examples
    --------
    >>> from specproof import DraftTrees
    >>> law = DraftTrees.of({((0,), (0, 1)): 0.25, ((1,),): 0.75})
    >>> law.length, [sorted(tree) for tree in law.trees]
    (2, [[(0,), (0, 1)], [(1,)]])
    """

    trees: tuple[frozenset[Node], ...]
    probability: Array
    length: int

    __repr__ = one_line
    _repr_html_ = html_record

    @classmethod
    def of(cls, law: Mapping[Iterable[Node], float]) -> DraftTrees:
        """Take any law, from trees given by their nodes to probabilities.

        Raises
        ------
        InvalidInput
            If there is no tree, a node is no tuple of integers, a tree has a node twice or lacks a node on the way to
            another, or the probabilities are no distribution.
        """
        if not isinstance(law, Mapping):
            raise InvalidInput(f"law is a {type(law).__name__}: give a dictionary from trees to probabilities")
        trees = tuple(_tree(tree) for tree in law)
        for index, tree in enumerate(trees):
            for node in tree:
                if node[:-1] and node[:-1] not in tree:
                    raise InvalidInput(
                        f"tree {index} has the node {node} and not {node[:-1]}: give the nodes on the way too"
                    )
        if not any(trees):
            raise InvalidInput("law has no tree with a node: give at least one drafted token")
        weights = as_distribution(list(law.values()), "law")
        return cls(trees, weights, max(len(node) for tree in trees for node in tree))

    @classmethod
    def sequences(cls, draft: Chain, num_drafts: int, length: int) -> DraftTrees:
        """K i.i.d. sequences of L tokens, from the model's start.

        Raises
        ------
        InvalidInput
            If a number is not an integer >= 1, the model's horizon is below L, or the sequences or their sets are too
            many to be listed.

        Examples
        --------
        >>> from specproof import DraftTrees, MarkovChain
        >>> law = DraftTrees.sequences(MarkovChain([0.5, 0.5], [[0.5, 0.5]] * 2, 2), num_drafts=2, length=2)
        >>> len(law.trees), float(law.probability.sum())
        (10, 1.0)
        """
        check_model(draft, "draft")
        count, steps = one_num_drafts(num_drafts), positive_integer(length, "length")
        joint = joint_law(draft, steps, "draft")
        sets = DraftSets.iid(joint.ravel(), count)
        words = list(product(range(draft.num_states), repeat=steps))
        trees = tuple(frozenset(way for member in chosen for way in ways_to(words[member])) for chosen in sets.sets)
        return cls(trees, sets.probability, steps)


def _tree(nodes: Iterable[Node]) -> frozenset[Node]:
    try:
        listed = [tuple(operator.index(token) for token in node) for node in nodes]
    except TypeError:
        raise InvalidInput(f"law has the tree {shown(nodes)}: a tree is nodes, and a node a tuple of tokens") from None
    tree = frozenset(listed)
    if len(tree) < len(listed):
        repeated = next(node for node in listed if listed.count(node) > 1)
        raise InvalidInput(f"law has a tree with the node {repeated} twice: siblings of one token are one node")
    return tree - {()}


def ways_to(node: Node) -> list[Node]:
    """List a node and those on the way to it, from the root's child down.

    Examples
    --------
    >>> ways_to((2, 0, 1))
    [(2,), (2, 0), (2, 0, 1)]
    """
    return [node[:depth] for depth in range(1, len(node) + 1)]


def joint_law(model: Chain, length: int, name: str) -> Array:
    """The law of the first tokens of a model, shape (V,) * length.

    Raises
    ------
    InvalidInput
        If the model's horizon is shorter, or the sequences are more than ``MOST_SEQUENCES``.
    """
    if model.horizon < length:
        raise InvalidInput(f"length is {shown(length)} but {name} has horizon {model.horizon}: take a longer horizon")
    if model.num_states**length > MOST_SEQUENCES:
        raise InvalidInput(
            f"length is {shown(length)}, and {model.num_states} tokens make {shown(model.num_states**length)} "
            f"sequences, more than {MOST_SEQUENCES}: take fewer tokens or a shorter length"
        )
    law = next_token_law(model, ())
    for depth in range(1, length):
        rows = [next_token_law(model, way) for way in product(range(model.num_states), repeat=depth)]
        law = law[..., np.newaxis] * np.reshape(rows, (model.num_states,) * (depth + 1))
    return law


def laws_of(model: Chain) -> NodeLaw:
    """The laws of a model after nodes.

    Examples
    --------
    >>> laws_of(MarkovChain([0.5, 0.5], [[0.75, 0.25], [0.5, 0.5]], 3))((1, 0)).tolist()
    [0.75, 0.25]
    """
    return partial(next_token_law, model)


def next_token_law(model: Chain, way: Node) -> Array:
    """The law of the token after these first tokens, shape (V,).

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> next_token_law(MarkovChain([0.5, 0.5], [[0.75, 0.25], [0.5, 0.5]], 3), (1, 0)).tolist()
    [0.75, 0.25]
    """
    if isinstance(model, MarkovChain):
        row = model.transition(len(way) + 1)[way[-1]] if way else model.initial
    else:
        row = model.conditionals[len(way)][way]
    law: Array = row
    return law
