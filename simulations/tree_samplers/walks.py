"""Samplers that walk down the drafted tree from its root, and choose one token at each node from the drafts there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.selection import SelectionSampler
from specproof.simulations.samplers.single import residual_weights
from specproof.simulations.tree_samplers.drafted import Drafted, Draws
from specproof.simulations.tree_samplers.registry import TreeSampler, register_tree_sampler
from specproof.theory.distribution import Array, normalise_or_zero
from specproof.theory.ratio import acceptance_ratio
from specproof.theory.trees.branches import refuse_repeated, without
from specproof.theory.trees.draft_trees import Node
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.trees.rules.importance import chosen_among
from specproof.theory.trees.rules.levels import hub_chances

Step = Callable[[Drafted, Node, Node, Draws], tuple[int, bool]]
"""``step(tree, node, drafts, draws)``: the token that is emitted after a node, and whether the walk goes on there."""


def walk(step: Step) -> TreeSampler:
    """The sampler that follows a step from the root until a call ends; branches of one token are merged."""

    def sample(tree: Drafted, draws: Draws) -> Node:
        node: Node = ()
        branches = tree.branches
        while branches:
            token, goes_on = step(tree, node, tuple(first for first, _ in branches), draws)
            branches = tuple(branch for first, rest in branches if first == token for branch in rest)
            node = (*node, token)
            if not goes_on:
                return node
        return (*node, draws.token(tree.target(node)))

    return sample


def target_draw(tree: Drafted, node: Node, drafts: Node, draws: Draws) -> tuple[int, bool]:
    """Draw from the target, and go on if the token was drafted."""
    token = draws.token(tree.target(node))
    return token, token in drafts


def one_after_the_other(distinct: bool, most: int | None = None) -> Step:
    """Try so many drafts, by default all, each against the residual of those before it, siblings i.i.d. or distinct.

    Raises
    ------
    InvalidInput
        If distinct siblings have one token.
    """

    def step(tree: Drafted, node: Node, drafts: Node, draws: Draws) -> tuple[int, bool]:
        if distinct:
            refuse_repeated(drafts)
        proposal, law = tree.draft(node), tree.target(node)
        for token in drafts[:most]:
            if draws.coin(chance_kept(proposal, law, token)):
                return token, True
            law = residual_law(proposal, law)
            proposal = without(proposal, (token,)) if distinct else proposal
        return draws.token(law), False

    return step


def by_selection(sampler: SelectionSampler) -> Step:
    """Select one of the drafts, or what replaces them, by the sampler of a verifier of one position."""

    def step(tree: Drafted, node: Node, drafts: Node, draws: Draws) -> tuple[int, bool]:
        laws = tree.draft(node)[np.newaxis], tree.target(node)[np.newaxis]
        tokens, accepted = sampler(*laws, np.array([drafts]), draws.uniforms(len(drafts) + 1)[np.newaxis])
        return int(tokens[0]), bool(accepted[0] >= 0)

    return step


def top_and_one(tree: Drafted, node: Node, drafts: Node, draws: Draws) -> tuple[int, bool]:
    """Try the last draft, drawn from what the others leave; else go on where the token of the residual is another."""
    proposal, law = without(tree.draft(node), drafts[:-1]), tree.target(node)
    if draws.coin(chance_kept(proposal, law, drafts[-1])):
        return drafts[-1], True
    token = draws.token(residual_law(proposal, law))
    return token, token in drafts[:-1]


def hub(tree: Drafted, node: Node, drafts: Node, draws: Draws) -> tuple[int, bool]:
    """Try the token of a pair that is not the likeliest, and then the likeliest."""
    if len(drafts) == 1:
        return top_and_one(tree, node, drafts, draws)
    law = tree.target(node)
    token, centre, by_token, by_centre, residual = hub_chances(tree.draft(node), law, drafts)
    if draws.coin(by_token):
        return token, True
    if draws.coin(by_centre):
        return centre, True
    return draws.token(residual if residual.any() else law), False


def chosen_draft(tree: Drafted, node: Node, drafts: Node, draws: Draws) -> tuple[int, bool]:
    """Choose one of the drafts by the best weights, and put it to the test of one draft."""
    law = tree.target(node)
    weights, proposal = chosen_among(tuple(tree.draft(node)), tuple(law), len(drafts))
    token = draws.token(weights[tuple(sorted(set(drafts)))])
    if draws.coin(chance_kept(proposal, law, token)):
        return token, True
    token = draws.token(residual_law(proposal, law))
    return token, token in drafts


def races(tree: Drafted, node: Node, drafts: Node, draws: Draws) -> tuple[int, bool]:
    """Draw the races that these drafts have won, and the target's token by them.

    The winner of a race with rates p arrives at a time that has the exponential law of rate 1 and does not depend on
    who it is; the others are at that time as they were at the start.
    """
    proposal, law = tree.draft(node), tree.target(node)
    times = np.empty((len(drafts), law.size))
    for race, token in enumerate(drafts):
        arrival, *others = -np.log1p(-draws.uniforms(1 + law.size))
        times[race] = proposal * arrival + others
        times[race, token] = proposal[token] * arrival
    with np.errstate(over="ignore"):  # a token that is hardly ever emitted arrives later than any number
        fastest = np.divide(times.min(axis=0), law, out=np.full_like(law, np.inf), where=law > 0)
    token = int(fastest.argmin())
    return token, token in drafts


def chance_kept(draft: Array, target: Array, token: int) -> float:
    """The chance of the test of one draft; a token that cannot have been drawn is refused."""
    return float(acceptance_ratio(draft[[token]], target[[token]])[0])


def residual_law(draft: Array, target: Array) -> Array:
    """The law after a draft that is refused."""
    return normalise_or_zero(residual_weights(draft, target))


STEPS: dict[str, Step] = {
    "argmax": target_draw,
    "canonical": chosen_draft,
    "exact-match": target_draw,
    "gumbel-list": races,
    "recursive-levels": one_after_the_other(distinct=False),
    "sequoia": one_after_the_other(distinct=True),
    "single-levels": one_after_the_other(distinct=False, most=1),
    "spechub": hub,
    "target-walk": target_draw,
    "top-and-one": top_and_one,
}
"""The step of each rule that walks; level by level every other verifier selects by its own sampler."""

SELECTIONS = {f"{name}-levels": by_selection(sampler) for name, sampler in SAMPLERS.items()}

for _name, _step in {**SELECTIONS, **STEPS}.items():
    if _name in TREE_VERIFIERS:  # a verifier without a rule for given drafts has no rule for trees
        register_tree_sampler(_name, walk(_step))
