"""SpecTr by hand: every set of draft sequences in turn, with rules written here and nowhere else.

A rule is ``rule(p, q, k)``: what happens to given drafts, ``accept(drafts)`` with one chance for each, and the law of
the token that replaces them when all are rejected.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from hypothesis import strategies as st

from specproof.conformance.strategies import rough_laws
from specproof.theory.chain import MarkovChain

Array = np.ndarray
Accept = Callable[[tuple[int, ...]], list[float]]
Rule = Callable[[Array, Array, int], tuple[Accept, Array]]

NOTHING = 1e-14
"""A residual of less is rounding, and stands for a rejection that does not happen."""


def _in_turn(coins: Callable[[int, int], float]) -> Accept:
    """Coins by place and token, tossed until one succeeds."""

    def accept(drafts: tuple[int, ...]) -> list[float]:
        chances, reached = [], 1.0
        for place, token in enumerate(drafts):
            chances.append(reached * coins(place, token))
            reached *= 1.0 - coins(place, token)
        return chances

    return accept


def _left(law: Array, taken: Array) -> Array:
    rest = np.maximum(law - taken, 0.0)
    return rest / rest.sum() if rest.sum() > NOTHING else law


def _coin(p: float, q: float) -> float:
    return 1.0 if q >= p else q / p


def single(p: Array, q: Array, k: int) -> tuple[Accept, Array]:
    return _in_turn(lambda place, x: _coin(p[x], q[x]) if place == 0 else 0.0), _left(q, p)


def kseq(p: Array, q: Array, k: int) -> tuple[Accept, Array]:
    def excess(rho: float) -> float:
        beta = np.minimum(p, q / rho).sum()
        return float(1.0 - (1.0 - beta) ** k - rho * beta)

    low, high = 1.0, float(k)
    if excess(1.0) <= 0.0:
        high = 1.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) > 0.0 else (low, middle)
    beta = min(float(np.minimum(p, q / high).sum()), 1.0)
    tries = sum((1.0 - beta) ** place for place in range(k))
    return _in_turn(lambda _, x: _coin(high * p[x], q[x])), _left(q, np.minimum(p, q / high) * tries)


def recursive(p: Array, q: Array, k: int) -> tuple[Accept, Array]:
    laws = [q]
    for _ in range(k):
        laws.append(_left(laws[-1], p))
    return _in_turn(lambda place, x: _coin(p[x], laws[place][x])), laws[k]


RULES: dict[str, Rule] = {"single": single, "kseq": kseq, "recursive": recursive}


@st.composite
def chain_pairs(draw: st.DrawFn, horizon: int, largest: int = 3) -> tuple[MarkovChain, MarkovChain]:
    """Draft and target chains over 1 to ``largest`` tokens, with zeros and ties, now and then equal."""
    size = draw(st.integers(1, largest))

    def chain() -> MarkovChain:
        start, *transitions = (np.asarray(draw(rough_laws(size)), dtype=float) for _ in range(size + 1))
        return MarkovChain(start, np.array(transitions), horizon)

    target = chain()
    return (target if draw(st.integers(0, 7)) == 0 else chain()), target


def enumerate_by_hand(
    rule: Rule, draft: MarkovChain, target: MarkovChain, num_drafts: int, length: int
) -> tuple[Array, Array]:
    """Joint law of L + 1 tokens, the target going on after a rejection, and the law of the accepted length."""
    size = target.num_states
    joint, lengths = np.zeros((size,) * (length + 1)), np.zeros(length + 1)
    sequences = list(product(range(size), repeat=length))

    def row(chain: MarkovChain, prefix: tuple[int, ...]) -> Array:
        return chain.transition(len(prefix) + 1)[prefix[-1]] if prefix else chain.initial

    def go_on(prefix: tuple[int, ...], chance: float) -> None:
        if len(prefix) == length + 1:
            joint[prefix] += chance
            return
        for token, q in enumerate(row(target, prefix)):
            if q > 0:
                go_on((*prefix, token), chance * q)

    def select(forest: tuple[tuple[int, ...], ...], prefix: tuple[int, ...], alive: list[int], chance: float) -> None:
        level = len(prefix)
        if level == length:
            lengths[length] += chance
            go_on(prefix, chance)
            return
        accept, residual = rule(row(draft, prefix), row(target, prefix), len(alive))
        offered = tuple(forest[index][level] for index in alive)
        chances = accept(offered)
        for token in set(offered):
            passed = sum(c for c, x in zip(chances, offered, strict=True) if x == token)
            if passed > 0:
                select(forest, (*prefix, token), [i for i in alive if forest[i][level] == token], chance * passed)
        rejected = chance * max(1.0 - sum(chances), 0.0)
        lengths[level] += rejected
        for token, q in enumerate(residual):
            if rejected * q > 0:
                go_on((*prefix, token), rejected * q)

    for forest in product(sequences, repeat=num_drafts):
        chance = 1.0
        for sequence in forest:
            for level in range(length):
                chance *= float(row(draft, sequence[:level])[sequence[level]])
        if chance > 0:
            select(forest, (), list(range(num_drafts)), chance)
    return joint, lengths
