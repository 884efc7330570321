r"""The layer lift: a rule for one position made a rule for whole trees, which gives nothing away between depths.

Nodes of the drafted tree carry weights, the root 1, and :math:`W_j`, the sum over depth j, is at most 1. At a node of
depth j with weight w its share of the layer is the capacity :math:`c = w/W_j`. A one-step rule for the target measure
:math:`W_j q`, which may have less mass than 1, divides the capacity among the drafted children: a child x gets the
weight :math:`a_x = c\,P(x\ \text{is accepted} | \text{drafts})`, whose mean over the drafts at that node is
:math:`F(x) \le w\,q(x)`. Let :math:`r_v(x) = w_v q(x|v) - F_v(x)`, F = 0 at the last depth, :math:`r_j` its sum over
depth j, and :math:`f_j = 1 - W_j`. From the deepest layer upwards stop at the first j whose coin of probability
:math:`s_j = r_j/(r_j + f_j)` falls; draw (v, x) there in proportion to :math:`r_v(x)`; emit the path to v, then x.

*It is lossless, and* :math:`E[\tau] = \sum_{j \ge 1} E[W_j]`. Since :math:`E[W_{j+1} | \text{drafts to } j]` is the sum
of F over depth j, :math:`r_j + f_j = 1 - E[W_{j+1} | \text{drafts to } j]`. By induction from the deepest layer,
:math:`E[\prod_{t>j} (1 - s_t) | \text{drafts to } j] = r_j + f_j`: at depth j it is
:math:`E[(1 - s_{j+1})(r_{j+1} + f_{j+1})] = E[f_{j+1}]`. So given the drafts to depth j the rule stops at (v, x) with
probability :math:`(r_j + f_j) s_j r_v(x)/r_j = r_v(x)`. With :math:`M(v) = E[w_v]` that is
:math:`M(v) q(x|v) = [\text{stop at } (v, x)] + M(vx)`, which telescopes to the target; and depth j is accepted or
passed with probability :math:`E[W_j]`.

With one draft sequence this is block verification; at length 1 it is the one-step rule itself. A one-step rule meets a
measure of mass W as a target with one more token of probability 1 - W that is never drafted. Of the priority coupling,
which is optimal for every measure, it makes a rule that is optimal at both ends: *priority layer verification*.

The lift is that of J. Cha, H. Cho, C. Yun, Layer Verification Accelerates Speculative Tree Decoding (AdaptFM workshop,
ICML 2026), whose authors prove it lossless, and near-optimal at both ends with Global Resolution (Thomas, Pal, arXiv
2511.15898). Only the abstract was at hand; statement and proof here are ours, and docs/priority-layer.md has them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from specproof.theory.chain import Chain, check_same_size
from specproof.theory.display import html_record, one_line, shown
from specproof.theory.distribution import Array
from specproof.theory.drafts import one_num_drafts
from specproof.theory.errors import InvalidInput
from specproof.theory.integers import positive_integer
from specproof.theory.trees.draft_trees import Node, NodeLaw, joint_law, laws_of
from specproof.theory.verifiers.registry import VERIFIERS, Verifier

MOST_DRAFTS = 100_000
"""At most this many combinations of draft sequences are enumerated."""

REMEMBERED = 256
"""Steps are remembered for vocabularies of at most so many tokens: an enumeration comes to the same laws often."""


@dataclass(frozen=True, eq=False, repr=False)
class LayerLaw:
    """The law of one call by the layer lift of a one-step rule.

    Attributes
    ----------
    accepted_length : array, shape (L+1,)
        The accepted length has this law.
    emitted : dict from Node to float
        The call emits exactly these tokens with this probability; the last is the rule's own.

    Examples
    --------
    >>> from specproof import MarkovChain, layer_law
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 3) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> law = layer_law(draft, target, num_drafts=1, length=1, verifier="priority")
    >>> law.accepted_length.tolist()
    [0.0, 1.0]
    """

    accepted_length: Array
    emitted: dict[Node, float]

    __repr__ = one_line
    _repr_html_ = html_record

    @property
    def mean(self) -> float:
        """E[tau], the expected accepted length; a call emits one token more."""
        return float(self.accepted_length @ np.arange(self.accepted_length.size))


def layer_law(draft: Chain, target: Chain, num_drafts: int, length: int, verifier: str | Verifier) -> LayerLaw:
    """The exact law of the layer lift with K i.i.d. sequences of L tokens, by enumeration of the drafts.

    Parameters
    ----------
    draft, target : MarkovChain or TabularModel
        Both of one kind, vocabulary and horizon, which is at least L + 1: a call emits up to L + 1 tokens.
    num_drafts, length : int
        K and L, each at least 1. All K-tuples of sequences are enumerated.
    verifier : str or Verifier
        A registered verifier that states its rule for given drafts.

    Raises
    ------
    InvalidInput
        If the models differ in kind, size or horizon, the horizon is too short, the verifier is unknown or states no
        rule for given drafts, a number is not an integer >= 1, or the tuples are too many.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof import layer_law, random_tabular_pair
    >>> pair = random_tabular_pair(2, 3, np.random.default_rng(0))
    >>> [round(layer_law(*pair, 2, 2, verifier).mean, 4) for verifier in ("recursive", "priority")]
    [1.6914, 1.8625]
    """
    check_same_size(draft, target)
    count, levels = one_num_drafts(num_drafts), positive_integer(length, "length")
    rule = verifier if isinstance(verifier, Verifier) else VERIFIERS.named(verifier)
    if rule.given_drafts is None:
        raise InvalidInput(f"verifier is {rule.name!r}, which states no rule for given drafts: choose another")
    if target.horizon <= levels:
        raise InvalidInput(f"length is {shown(levels)} but the models have horizon {target.horizon}: take a longer one")
    lengths, emitted = np.zeros(levels + 1), dict[Node, float]()
    for sequences, chance in _drafts(draft, count, levels):
        for node, ends in lift(laws_of(draft), laws_of(target), sequences, rule):
            lengths[len(node)] += chance * ends.sum()
            for token in map(int, np.flatnonzero(ends)):
                emitted[*node, token] = emitted.get((*node, token), 0.0) + chance * float(ends[token])
    return LayerLaw(lengths, emitted)


def lift(draft: NodeLaw, target: NodeLaw, sequences: NDArray[np.int64], rule: Verifier) -> Iterator[tuple[Node, Array]]:
    """What the layer lift emits for given draft sequences, shape (K, L).

    Arguments are trusted.

    Yields
    ------
    tuple of int
        An accepted path.
    array, shape (V,)
        The probability that this and then each token end the call.
    """
    goes_on = 1.0
    for layer in reversed(weigh(draft, target, sequences, rule)):
        rejected = layer.rejected.sum()
        below = rejected + layer.missing
        stop = rejected / below if below > 0 else 0.0
        for node, row in zip(layer.nodes, layer.rejected, strict=True):
            if stop > 0:
                yield node, goes_on * stop / rejected * row
        goes_on *= 1.0 - stop


@dataclass(frozen=True)
class Layer:
    """The nodes of one depth, weighed."""

    nodes: list[Node]
    """The nodes."""
    rejected: Array
    """r_v(x), shape (nodes, V)."""
    missing: float
    """f, what the weights of the layer lack to 1."""


def weigh(draft: NodeLaw, target: NodeLaw, sequences: NDArray[np.int64], rule: Verifier) -> list[Layer]:
    """Weigh the nodes of draft sequences, shape (K, L), from the root downwards, and find what each layer rejects.

    Arguments are trusted.

    Examples
    --------
    >>> laws = (lambda node: np.array([0.5, 0.5])), (lambda node: np.array([0.25, 0.75]))
    >>> [layer.missing for layer in weigh(*laws, np.array([[0]]), VERIFIERS["single"])]
    [0.0, 0.5]
    """
    members: dict[Node, list[int]] = {(): list(range(len(sequences)))}
    weights: dict[Node, float] = {(): 1.0}
    layers = []
    for depth in range(sequences.shape[1] + 1):
        total = sum(weights.values())
        if total <= 0.0:
            break
        rejected, following, later = list[Array](), dict[Node, float](), defaultdict[Node, list[int]](list)
        for node, weight in weights.items():
            row = target(node)
            if depth == sequences.shape[1]:
                rejected.append(weight * row)
                continue
            drafts = sequences[members[node], depth]
            accepted, given = _one_step(draft(node), total * row, drafts, rule)
            capacity = weight / total
            rejected.append(np.maximum(weight * row - capacity * accepted, 0.0))
            for member, token, chance in zip(members[node], drafts, given, strict=True):
                child = (*node, int(token))
                later[child].append(member)
                following[child] = following.get(child, 0.0) + capacity * float(chance)
        layers.append(Layer(list(weights), np.stack(rejected), max(1.0 - total, 0.0)))
        members, weights = later, following
    return layers


def _one_step(draft: Array, measure: Array, drafts: NDArray[np.int64], rule: Verifier) -> tuple[Array, Array]:
    """The rule against a measure: what it accepts of each token, and the chance of each given draft."""
    padded = np.append(draft, 0.0), np.append(measure, max(1.0 - measure.sum(), 0.0))
    if draft.size > REMEMBERED:
        assert rule.given_drafts is not None
        (chances,) = rule.given_drafts(*padded, drafts[np.newaxis])
        return rule.law(*padded, drafts.size).accepted[:-1], chances
    keys = tuple(padded[0]), tuple(padded[1])
    return _accepted(*keys, drafts.size, rule)[:-1], _given(*keys, tuple(drafts), rule)


# Drafts that differ below a node alone meet the same laws at it, so that few steps of an enumeration are new.
@lru_cache(maxsize=4096)
def _accepted(draft: tuple[float, ...], target: tuple[float, ...], count: int, rule: Verifier) -> Array:
    accepted: Array = rule.law(np.array(draft), np.array(target), count).accepted
    return accepted


@lru_cache(maxsize=4096)
def _given(draft: tuple[float, ...], target: tuple[float, ...], drafts: Node, rule: Verifier) -> Array:
    assert rule.given_drafts is not None
    chances: Array = rule.given_drafts(np.array(draft), np.array(target), np.array([drafts]))[0]
    return chances


def _drafts(draft: Chain, count: int, length: int) -> Iterator[tuple[NDArray[np.int64], float]]:
    """Enumerate K-tuples of sequences with their probabilities."""
    joint = joint_law(draft, length, "draft").ravel()
    possible = np.flatnonzero(joint)
    # In logarithms, as the power itself may have billions of digits.
    if count * math.log(possible.size) > math.log(MOST_DRAFTS) or count > MOST_DRAFTS:
        raise InvalidInput(
            f"num_drafts is {shown(count)}, and {possible.size} sequences make more than {MOST_DRAFTS:,} tuples of so "
            "many: take fewer drafts, fewer tokens or a shorter length"
        )
    words = np.array(list(product(range(draft.num_states), repeat=length)))
    for chosen in product(possible, repeat=count):
        yield words[list(chosen)], float(np.prod(joint[list(chosen)]))
