r"""SpecTr-GBV, as its code states it: sub-blocks of K sequences are tried one after the other, longer ones overriding.

With P and Q the probabilities of a sub-block x of i tokens by draft and target, and
:math:`m(x) = Q(x)\,(1 - (1 - \min(1, P/Q))^K)`, the sub-block is accepted with probability

.. math:: h(x) = \frac{\sum_y Q(xy)(1 - \min(1, P/Q)(xy))^K - Q(x) (1 - \min(1, P/Q)(x))^K}
               {1 - (1 - P(x))^K - \sum_y m(xy)},

a whole sequence with :math:`m(x) / (1 - (1 - P(x))^K)`; and a token of the law of :math:`Q(xy)(1 - \min(1, P/Q)(xy)^K)`
ends the call. The paper changes the target of the calls that follow; here it is asked what one call emits. The paper
states :math:`E[\tau] = \sum_x m(x)`, and that this is the best possible [1]_.

References
----------
.. [1] Y. Lin et al. 2026, SpecTr-GBV, arXiv 2604.25925, and its public code; of the paper the abstract, reviews and the
   code were at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from specproof.theory.chain import Chain
from specproof.theory.distribution import Array, normalise_or_zero
from specproof.theory.trees.branches import Branches, words
from specproof.theory.trees.draft_trees import Node, NodeLaw, joint_law
from specproof.theory.trees.rules.registry import Emitted, Given


def stated_length(draft: Chain, target: Chain, num_drafts: int, length: int) -> float:
    r"""The expected accepted length that the paper states, and states to be the largest: :math:`\sum_x m(x)`.

    Examples
    --------
    >>> from specproof import MarkovChain
    >>> draft, target = (MarkovChain(law, [law] * 2, 2) for law in ([0.5, 0.5], [0.25, 0.75]))
    >>> round(stated_length(draft, target, 2, 1), 6)
    0.916667
    """
    total = 0.0
    for level in range(1, length + 1):
        given, wanted = joint_law(draft, level, "draft"), joint_law(target, level, "target")
        total += float(_met(given, wanted, num_drafts).sum())
    return total


@dataclass(frozen=True)
class _State:
    """What has been accepted so far, and the sub-blocks that were refused."""

    word: Node = ()
    refused: frozenset[Node] = frozenset()
    is_whole: bool = False


def multi_block(draft: NodeLaw, target: NodeLaw, num_drafts: int, length: int) -> Given:
    """The rule for given sequences; every outcome of its coins is followed.

    Examples
    --------
    >>> from specproof.theory.trees.branches import chain
    >>> laws = (lambda node: np.array([0.5, 0.5])), (lambda node: np.array([0.25, 0.75]))
    >>> [(path, ends.tolist()) for path, ends in multi_block(*laws, 1, 1)(chain([0]))]
    [((0,), [0.125, 0.375]), ((), [0.0, 0.5])]
    """

    @cache
    def accept(word: Node) -> float:
        return sub_block_chance(draft, target, word, num_drafts, length)

    @cache
    def after(word: Node) -> Array:
        return after_sub_block(draft, target, word, num_drafts, length)

    def given(branches: Branches) -> Emitted:
        states: dict[_State, float] = {_State(): 1.0}
        for word in words(branches):
            start = {state: len(state.word) for state in states}
            for level in range(1, length + 1):
                states, start = _tried(states, start, word[:level], accept(word[:level]), level == length)
        for state, mass in states.items():
            yield state.word, mass * after(state.word)

    return given


def _tried(
    states: dict[_State, float], start: dict[_State, int], word: Node, chance: float, whole: bool
) -> tuple[dict[_State, float], dict[_State, int]]:
    """Toss the coin of one sub-block in every state that comes to it: one that begins below the level."""
    found: dict[_State, float] = {}
    begins: dict[_State, int] = {}

    def add(state: _State, mass: float, begin: int) -> None:
        if mass > 0:
            found[state] = found.get(state, 0.0) + mass
            begins[state] = begin

    for state, mass in states.items():
        begin = start[state]
        skipped = state.is_whole or (not whole and (len(word) <= begin or word in state.refused))
        if skipped:
            add(state, mass, begin)
            continue
        add(replace(state, word=word, is_whole=whole), mass * chance, begin)
        refused = state.refused if whole else state.refused | {word}
        add(replace(state, refused=refused), mass * (1.0 - chance), begin)
    return found, begins


def _met(draft: Array, target: Array, num_drafts: int) -> Array:
    """m(x), shape of the laws."""
    ratio = np.divide(draft, target, out=np.ones_like(target), where=draft < target)
    met: Array = target * (1.0 - (1.0 - ratio) ** num_drafts)
    return met


def sub_block_chance(draft: NodeLaw, target: NodeLaw, word: Node, num_drafts: int, length: int) -> float:
    """h(x), held to [0, 1] as a coin holds it; 1 where nothing is to be divided.

    Examples
    --------
    >>> laws = (lambda node: np.array([0.5, 0.5])), (lambda node: np.array([0.25, 0.75]))
    >>> sub_block_chance(*laws, (0,), num_drafts=1, length=1)
    0.5
    """
    given, wanted = (np.array([_probability(law, word)]) for law in (draft, target))
    drafted, met = float(1.0 - (1.0 - given[0]) ** num_drafts), float(_met(given, wanted, num_drafts)[0])
    if len(word) == length:
        return min(1.0, met / drafted) if drafted > 0 else 1.0
    longer = float(_met(given * draft(word), wanted * target(word), num_drafts).sum())
    bottom = drafted - longer
    return float(np.clip((met - longer) / bottom, 0.0, 1.0)) if bottom > 0 else 1.0


def after_sub_block(draft: NodeLaw, target: NodeLaw, word: Node, num_drafts: int, length: int) -> Array:
    """The law of the token that ends the call.

    Examples
    --------
    >>> laws = (lambda node: np.array([0.5, 0.5])), (lambda node: np.array([0.25, 0.75]))
    >>> after_sub_block(*laws, (), num_drafts=1, length=1).tolist()
    [0.0, 1.0]
    """
    law = target(word)
    if len(word) == length:
        return law
    given, wanted = _probability(draft, word) * draft(word), _probability(target, word) * law
    ratio = np.divide(given, wanted, out=np.ones_like(wanted), where=given < wanted)
    residual = normalise_or_zero(wanted * (1.0 - ratio**num_drafts))
    return residual if residual.any() else law


def _probability(law: NodeLaw, word: Node) -> float:
    return float(np.prod([law(word[:level])[token] for level, token in enumerate(word)]))
