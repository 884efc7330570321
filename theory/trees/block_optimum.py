r"""The block optimum: how many drafted tokens any lossless rule can accept of one tree, with a proof.

A rule sees the drafted tree D and stops at one of its nodes v, after which it emits one more token. Let s(D, v) be the
probability of both, and :math:`M(y) = \sum_D \sum_{v \succeq y} s(D, v)` that node y is accepted, M(root) = 1. The rule
is lossless if and only if what is emitted passes y with the target's probability: with E(v, t) the mass that stops at
v and then emits t, :math:`E(v,t) + M(vt) = M(v)\,q(t|v)`. Such E exists if and only if it is not negative, and then the
token may be drawn independently of the tree. So with :math:`M(vt) \le q(t|v) M(v)`

.. math:: \max E[\tau] = \max_{s \ge 0} \sum_{y \ne root} M(y) \quad\text{s.t.}\quad \sum_v s(D, v) = P(D),
          \quad M(vt) \le q(t|v)\, M(v),

a linear program without the emitted tokens. By duality, with a price :math:`\mu_y \ge 0` for each node and

.. math:: g(root) = \sum_t \mu_t\, q(t), \qquad g(vt) = g(v) + 1 - \mu_{vt} + \sum_{t'} \mu_{vtt'}\, q(t'|vt),

:math:`\max E[\tau] \le \sum_D P(D) \max_{v \in D \cup \{root\}} g(v)` for *any* prices: that, and a rule that was made
feasible, are both checked here in rational arithmetic. For L = 1 it is the optimal transport of k drafts, and for K = 1
it is reached by block verification.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from specproof.theory.chain import Chain, check_model, check_same_size
from specproof.theory.display import html_record, one_line
from specproof.theory.errors import InvalidInput
from specproof.theory.rationals import as_fractions
from specproof.theory.trees.draft_trees import DraftTrees, Node, next_token_law, ways_to

FEASIBILITY = 1e-10
"""What HiGHS is asked for in each constraint."""

LARGEST_PROGRAM = 2_000_000
"""The program may have at most so many variables, one for each node of each tree."""


@dataclass(frozen=True, eq=False, repr=False)
class BlockOptimum:
    r"""The most that a lossless rule accepts of one tree, on average.

    Attributes
    ----------
    accepted_length : float
        The largest E[tau]; tokens per call are one more.
    accepted : dict from Node to float
        M(y), the probability that a rule that reaches it accepts node y.
    prices : dict from Node to float
        The dual :math:`\mu_y`.
    lowest, highest : Fraction
        The optimum lies between them, without rounding, for the given floats divided by their exact sums.

    Examples
    --------
    >>> from specproof import MarkovChain, block_optimum
    >>> draft, target = (MarkovChain([0.5, 0.5], [row] * 2, 3) for row in ([0.5, 0.5], [0.25, 0.75]))
    >>> found = block_optimum(draft, target, num_drafts=1, length=2)
    >>> round(found.accepted_length, 9), found.highest - found.lowest < 1e-9
    (1.75, True)
    """

    accepted_length: float
    accepted: dict[Node, float]
    prices: dict[Node, float]
    lowest: Fraction
    highest: Fraction

    __repr__ = one_line
    _repr_html_ = html_record


def block_optimum(draft: Chain, target: Chain, num_drafts: int, length: int) -> BlockOptimum:
    """The block optimum of K i.i.d. sequences of L tokens from the models' start.

    Parameters
    ----------
    draft, target : MarkovChain or TabularModel
        Both of one kind, vocabulary and horizon, which is at least L.
    num_drafts, length : int
        K and L, each at least 1. The program has a variable for each node of each set of sequences.

    Raises
    ------
    InvalidInput
        If the models differ in kind, size or horizon, a number is not an integer >= 1, the horizon is too short, or the
        program is too large.
    RuntimeError
        If the solver does not report an optimum.

    Examples
    --------
    >>> import numpy as np
    >>> from specproof import block_optimum, random_tabular_pair
    >>> pair = random_tabular_pair(2, 2, np.random.default_rng(0))
    >>> [round(block_optimum(*pair, count, 2).accepted_length, 4) for count in (1, 2, 3)]
    [1.7087, 1.9801, 2.0]
    """
    check_same_size(draft, target)
    return block_optimum_of_trees(DraftTrees.sequences(draft, num_drafts, length), target)


def block_optimum_of_trees(trees: DraftTrees, target: Chain) -> BlockOptimum:
    """The block optimum of trees of any law.

    Parameters
    ----------
    trees : DraftTrees
    target : MarkovChain or TabularModel
        With a horizon of at least the trees' depth.

    Raises
    ------
    InvalidInput
        If the horizon is shorter, a node is no sequence of the target's tokens, or the program is too large.
    RuntimeError
        If the solver does not report an optimum.

    Examples
    --------
    A certain tree: what is accepted is what the target passes.

    >>> from specproof import DraftTrees, MarkovChain, block_optimum_of_trees
    >>> target = MarkovChain([0.25, 0.75], [[0.5, 0.5]] * 2, 2)
    >>> round(block_optimum_of_trees(DraftTrees.of({((1,), (1, 0)): 1.0}), target).accepted_length, 9)
    1.125
    """
    if not isinstance(trees, DraftTrees):
        raise InvalidInput(f"trees is a {type(trees).__name__}: give DraftTrees, such as DraftTrees.sequences(...)")
    check_model(target, "target")
    nodes = sorted({node for tree in trees.trees for node in tree}, key=lambda node: (len(node), node))
    if target.horizon < trees.length:
        raise InvalidInput(
            f"target has horizon {target.horizon}, and the trees are {trees.length} deep: take a longer one"
        )
    beyond = [node for node in nodes if not 0 <= node[-1] < target.num_states]
    if beyond:
        raise InvalidInput(
            f"trees has the node {beyond[0]}, and target has {target.num_states} tokens: "
            f"number them 0..{target.num_states - 1}, and give a node no more children than that"
        )
    stops, prices = _solve(trees, nodes, target)
    exact = {node: as_fractions(next_token_law(target, node[:-1]))[node[-1]] for node in nodes}
    weights = as_fractions(trees.probability)
    accepted, lowest = _feasible(nodes, weights, stops, exact)
    highest = _dual_value(trees, nodes, weights, prices, exact)
    return BlockOptimum(float(lowest), {node: float(mass) for node, mass in accepted.items()}, prices, lowest, highest)


def _solve(trees: DraftTrees, nodes: list[Node], target: Chain) -> tuple[list[dict[Node, float]], dict[Node, float]]:
    """Solve the program in floats: where each tree is stopped, and the price of each node."""
    size = sum(map(len, trees.trees))
    if size > LARGEST_PROGRAM:
        raise InvalidInput(
            f"the program has {size:,} variables (limit {LARGEST_PROGRAM:,}): "
            "take fewer drafts, fewer tokens or less depth"
        )
    ratio = {node: float(next_token_law(target, node[:-1])[node[-1]]) for node in nodes}
    column = _columns(nodes, ratio)
    stops = [(index, node) for index, tree in enumerate(trees.trees) for node in sorted(tree)]
    entries = [(row, value, place) for place, (_, node) in enumerate(stops) for row, value in column[node]]
    entries += [(len(nodes) + index, 1.0, place) for place, (index, _) in enumerate(stops)]
    rows, values, columns = (list(part) for part in zip(*entries, strict=True))
    found = linprog(
        [-float(len(node)) for _, node in stops],
        A_ub=sp.csc_array((values, (rows, columns)), shape=(len(nodes) + len(trees.trees), len(stops))),
        b_ub=np.concatenate([[ratio[node] * (len(node) == 1) for node in nodes], trees.probability]),
        method="highs-ds",
        options={"primal_feasibility_tolerance": FEASIBILITY, "dual_feasibility_tolerance": FEASIBILITY},
    )
    if found.status != 0:
        raise RuntimeError(f"HiGHS ended the linear program with status {found.status}: {found.message}")
    split: list[dict[Node, float]] = [{} for _ in trees.trees]
    for (index, node), mass in zip(stops, found.x, strict=True):
        split[index][node] = float(mass)
    multipliers = np.maximum(-found.ineqlin.marginals[: len(nodes)], 0.0)
    return split, dict(zip(nodes, map(float, multipliers), strict=True))


def _columns(nodes: list[Node], ratio: dict[Node, float]) -> dict[Node, list[tuple[int, float]]]:
    """What stopping at each node adds to M(y) - q(y | parent) M(parent), by the number of node y."""
    place = {node: index for index, node in enumerate(nodes)}
    children = defaultdict(list)
    for node in nodes:
        children[node[:-1]].append(node)
    columns = {}
    for node in nodes:
        passed = ways_to(node)
        entries = dict.fromkeys((place[each] for each in passed), 1.0)
        for each in passed:
            for child in children[each]:
                entries[place[child]] = entries.get(place[child], 0.0) - ratio[child]
        columns[node] = list(entries.items())
    return columns


def _feasible(
    nodes: list[Node],
    weights: tuple[Fraction, ...],
    stops: list[dict[Node, float]],
    exact: dict[Node, Fraction],
) -> tuple[dict[Node, Fraction], Fraction]:
    """Make the rule lossless without rounding, and give its M(y) and its E[tau].

    Where a tree is stopped more often than it is drafted, all its stops are scaled down; where a node is accepted more
    often than the target allows, its acceptance is thinned, and with it all below.
    """
    reached = dict.fromkeys(nodes, Fraction(0))
    for weight, split in zip(weights, stops, strict=True):
        masses = {node: Fraction(max(mass, 0.0)) for node, mass in split.items()}
        total = sum(masses.values(), Fraction(0))
        scale = weight / total if total > weight else Fraction(1)
        for node, mass in masses.items():
            for way in ways_to(node):
                reached[way] += scale * mass
    thinning: dict[Node, Fraction] = {(): Fraction(1)}
    accepted = dict(thinning)
    for node in nodes:  # from the root downwards
        allowed, offered = exact[node] * accepted[node[:-1]], thinning[node[:-1]] * reached[node]
        thinning[node] = thinning[node[:-1]] if offered <= allowed else allowed / reached[node]
        accepted[node] = min(offered, allowed)
    del accepted[()]
    return accepted, sum(accepted.values(), Fraction(0))


def _dual_value(
    trees: DraftTrees,
    nodes: list[Node],
    weights: tuple[Fraction, ...],
    prices: dict[Node, float],
    exact: dict[Node, Fraction],
) -> Fraction:
    """The bound that any prices give: E of the largest g on the drafted tree, the root included."""
    price = {node: Fraction(value) for node, value in prices.items()}
    bonus: defaultdict[Node, Fraction] = defaultdict(Fraction)
    for node in nodes:
        bonus[node[:-1]] += price[node] * exact[node]
    gain: dict[Node, Fraction] = {(): bonus[()]}
    for node in nodes:
        gain[node] = gain[node[:-1]] + 1 - price[node] + bonus[node]
    best = [max((gain[node] for node in tree), default=gain[()]) for tree in trees.trees]
    return sum((weight * max(value, gain[()]) for weight, value in zip(weights, best, strict=True)), Fraction(0))
