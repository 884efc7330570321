r"""Rules that walk down the drafted tree from its root, and choose one token at each node from the drafts there.

A *step* makes of the draft's law, the target's law and the drafted tokens at a node the probabilities that each token
is emitted and the walk goes on below it, and that it is emitted and ends the call. Branches of one token are merged:
what was drafted after any of them goes on. After the last drafted token comes one of the target's own.

A walk is lossless if its step emits the target's law on average over the drafts at a node: whatever the tokens chosen
so far were, the drafts after them are as they were drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product

import numpy as np

from specproof.theory.distribution import Array, normalise_or_zero
from specproof.theory.trees.branches import Branches, likeliest_tokens, refuse_repeated, refuse_undrafted, without
from specproof.theory.trees.draft_trees import Node, NodeLaw
from specproof.theory.trees.rules.registry import Emitted, Given, Prepare
from specproof.theory.verifiers.registry import Verifier

Step = Callable[[Array, Array, Node], tuple[Array, Array]]
"""``step(draft, target, drafts) -> (goes_on, ends)``, of laws of shape (V,) and the drafted tokens in their order."""

TABULATED = 4096
"""A verifier's chances are made at once for all drafts that there can be, if these are at most so many."""


def walk(step: Step) -> Prepare:
    """The rule that follows a step from the root until a call ends.

    Raises
    ------
    InvalidInput
        If the tree has a token that cannot have been drafted; a step for distinct siblings, if one is repeated.

    Examples
    --------
    >>> from specproof.theory.trees.branches import chain
    >>> law = lambda node: np.array([0.5, 0.5])
    >>> [(path, ends.tolist()) for path, ends in walk(target_draw)(law, law, 1, 1)(chain([0]))]
    [((), [0.0, 0.5]), ((0,), [0.25, 0.25])]
    """

    def prepare(draft: NodeLaw, target: NodeLaw, _: int, __: int) -> Given:
        known: dict[tuple[Node, Node], tuple[Array, Array]] = {}

        def follow(branches: Branches, node: Node, mass: float) -> Emitted:
            law = target(node)
            if not branches:
                yield node, mass * law
                return
            drafts = tuple(token for token, _ in branches)
            if (node, drafts) not in known:
                proposal = draft(node)
                refuse_undrafted(drafts, proposal)
                known[node, drafts] = step(proposal, law, drafts)
            goes_on, ends = known[node, drafts]
            yield node, mass * ends
            for token in map(int, np.flatnonzero(goes_on)):
                after = tuple(branch for first, rest in branches if first == token for branch in rest)
                yield from follow(after, (*node, token), mass * float(goes_on[token]))

        return lambda branches: follow(branches, (), 1.0)

    return prepare


def selection(rule: Verifier) -> Step:
    """The step of a registered verifier of i.i.d. drafts at one position; what replaces the drafts ends the call.

    Examples
    --------
    >>> from specproof import VERIFIERS
    >>> step = selection(VERIFIERS["kseq"])
    >>> [law.tolist() for law in step(np.array([0.5, 0.5]), np.array([0.25, 0.75]), (0,))]
    [[0.5, 0.0], [0.0, 0.5]]
    """
    assert rule.given_drafts is not None
    given_drafts = rule.given_drafts

    def step(draft: Array, target: Array, drafts: Node) -> tuple[Array, Array]:
        if np.count_nonzero(draft) ** len(drafts) <= TABULATED:
            known, replacement = table(tuple(draft), tuple(target), len(drafts))
            chances = known[drafts]
        else:
            (chances,) = given_drafts(draft, target, np.array([drafts]))
            replacement = rule.law(draft, target, len(drafts)).residual
        goes_on = np.zeros_like(target)
        np.add.at(goes_on, np.array(drafts), chances)
        return goes_on, max(1.0 - float(chances.sum()), 0.0) * replacement

    @lru_cache(maxsize=64)
    def table(draft: tuple[float, ...], target: tuple[float, ...], count: int) -> tuple[dict[Node, Array], Array]:
        """The chances of all drafts that there can be, and the law of what replaces them."""
        laws = np.array(draft), np.array(target)
        drafts = list(product(map(int, np.flatnonzero(laws[0])), repeat=count))
        chances = given_drafts(*laws, np.array(drafts))
        return dict(zip(drafts, chances, strict=True)), rule.law(*laws, count).residual

    return step


def without_replacement(draft: Array, target: Array, drafts: Node) -> tuple[Array, Array]:
    r"""Recursive rejection of distinct drafts [1]_ [2]_: each is tried against the residual of those before it.

    References
    ----------
    .. [1] Jeon et al. 2024, Recursive Speculative Decoding, arXiv 2402.14160.
    .. [2] Chen et al. 2024, Sequoia, arXiv 2402.12374, Algorithm 2.

    Examples
    --------
    >>> [law.tolist() for law in without_replacement(np.array([0.5, 0.5]), np.array([0.25, 0.75]), (0, 1))]
    [[0.5, 0.5], [0.0, 0.0]]
    """
    refuse_repeated(drafts)
    goes_on, rejected, proposal, law = np.zeros_like(target), 1.0, draft, target
    for token in drafts:
        chance = min(1.0, float(law[token]) / float(proposal[token]))
        goes_on[token] += rejected * chance
        rejected *= 1.0 - chance
        law = normalise_or_zero(np.maximum(law - proposal, 0.0))
        proposal = without(proposal, (token,))
    return goes_on, rejected * law


def target_draw(_: Array, target: Array, drafts: Node) -> tuple[Array, Array]:
    """The target's own draw, which goes on if it was drafted: exact match, and the walk of certain trees.

    Engines that draft certain trees verify them so; with a random draft it is a lossless rule that spends more [1]_.

    References
    ----------
    .. [1] Miao et al. 2023, SpecInfer, arXiv 2305.09781, naive sampling.

    Examples
    --------
    >>> [law.tolist() for law in target_draw(np.array([0.5, 0.5]), np.array([0.25, 0.75]), (0,))]
    [[0.25, 0.0], [0.0, 0.75]]
    """
    drafted = np.isin(np.arange(target.size), drafts)
    return np.where(drafted, target, 0.0), np.where(drafted, 0.0, target)


def top_and_one(draft: Array, target: Array, drafts: Node) -> tuple[Array, Array]:
    r"""The K - 1 likeliest tokens, which are certain, and one draft from the others, which is tried by its ratio.

    With T the certain tokens and :math:`p_T` the draft's law given that none of T comes, the last draft is accepted
    with probability :math:`\min(1, q/p_T)`. What else is emitted has the law of :math:`[q - p_T]_+`, all of q on T, and
    goes on there. At a node below the first, where there is one draft, it is the ratio test. The acceptance is
    :math:`q(T) + \sum_{x \notin T} \min(p_T(x), q(x))`; no rule has more with these drafts [1]_.

    References
    ----------
    .. [1] Hu et al. 2025, Towards Optimal Multi-draft Speculative Decoding, arXiv 2502.18779, greedy sampling.

    Examples
    --------
    >>> goes_on, ends = top_and_one(np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.25, 0.5]), (0, 1))
    >>> goes_on.tolist(), ends.tolist()
    ([0.5, 0.5, 0.0], [0.0, 0.0, 0.0])
    """
    certain, token = drafts[:-1], drafts[-1]
    proposal = without(draft, certain)
    chance = min(1.0, float(target[token]) / float(proposal[token]))
    other = (1.0 - chance) * normalise_or_zero(np.maximum(target - proposal, 0.0))
    on_certain = np.isin(np.arange(target.size), certain)
    goes_on = np.where(on_certain, other, 0.0)
    goes_on[token] += chance
    return goes_on, np.where(on_certain, 0.0, other)


def hub(draft: Array, target: Array, drafts: Node) -> tuple[Array, Array]:
    r"""SpecHub: of two drafts one is the likeliest token a; others are tried before it, as first and as second draft.

    The pair (i, a) has probability p(i) and (a, i) probability p(a) p(i) / (1 - p(a)). Token i takes of the target what
    it can in the pairs (i, a), then in (a, i); token a takes it in (a, i), then in (i, a) [1]_. Written down after the
    authors' code. At a node with one draft it is the ratio test.

    References
    ----------
    .. [1] R. Sun et al. 2024, SpecHub, arXiv 2411.05289.

    Examples
    --------
    >>> [law.tolist() for law in hub(np.array([0.75, 0.25]), np.array([0.5, 0.5]), (1, 0))]
    [[0.0, 1.0], [0.0, 0.0]]
    """
    if len(drafts) == 1:
        return top_and_one(draft, target, drafts)
    token, centre, by_token, by_centre, residual = hub_chances(draft, target, drafts)
    goes_on = np.zeros_like(target)
    goes_on[token], goes_on[centre] = by_token, (1.0 - by_token) * by_centre
    return goes_on, (1.0 - by_token) * (1.0 - by_centre) * residual


def hub_chances(draft: Array, target: Array, drafts: Node) -> tuple[int, int, float, float, Array]:
    """SpecHub's step for a pair: the other token, the likeliest, with what chance each is accepted, and the residual.

    The likeliest token is tried where the other is refused; the residual is drawn from where both are.

    Examples
    --------
    >>> token, centre, by_token, by_centre, _ = hub_chances(np.array([0.75, 0.25]), np.array([0.5, 0.5]), (1, 0))
    >>> token, centre, by_token, by_centre
    (1, 0, 1.0, 1.0)
    """
    (centre,) = likeliest_tokens(draft, 1)
    others = without(draft, (centre,))
    first, second = np.where(others > 0, draft, 0.0), float(draft[centre]) * others
    taken_first = np.minimum(first, target)
    taken_second = np.minimum(second, target - taken_first)
    left_second, left_first = (second - taken_second), (first - taken_first)
    centre_second = min(float(target[centre]), float(left_second.sum()))
    centre_first = min(float(target[centre]) - centre_second, float(left_first.sum()))
    is_first = drafts[1] == centre
    token = drafts[0] if is_first else drafts[1]
    pair, taken = (first, taken_first) if is_first else (second, taken_second)
    left, by_centre = (left_first, centre_first) if is_first else (left_second, centre_second)
    residual = target - taken_first - taken_second
    residual[centre] = target[centre] - centre_second - centre_first
    by_token = float(taken[token] / pair[token])
    return (
        token,
        centre,
        by_token,
        float(by_centre / left.sum()) if left.any() else 1.0,
        normalise_or_zero(np.maximum(residual, 0.0)),
    )
