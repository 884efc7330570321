"""Every rule for drafted trees with two models: what a call accepts on average, given the tree that was drafted for it.

The trees follow texts of the target. Given a tree, a rule accepts so many tokens with probabilities that are computed,
over the full vocabulary; they are the conditional expectations that are averaged, and nothing is left to the uniforms
of the calls. All rules meet the same texts, drafted by the same numbers, so that they are compared in pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.real.confidence import over_prompts
from specproof.simulations.claims.real.drafted_trees import Followed, draft_along
from specproof.simulations.claims.real.level_rates import level_rate
from specproof.simulations.claims.real.prompt_groups import PromptGroup, prompt_groups
from specproof.simulations.claims.real.rejection_martingale import verify_without_quotient
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.tree_samplers import TREE_SAMPLERS
from specproof.simulations.tree_samplers.drafted import Drafted, RandomDraws
from specproof.simulations.tree_samplers.registry import TreeSampler
from specproof.simulations.tree_samplers.walks import by_selection, walk
from specproof.theory.distribution import Array
from specproof.theory.trees.branches import nodes_of
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.trees.rules.registry import TreeVerifier

if TYPE_CHECKING:
    import pandas as pd

GROUP_SIZE = 7
"""Prompts that are read together: at each of some ten nodes a text has laws over the whole vocabulary."""

STATED_FOR_LISTS = ("canonical", "gumbel-list")
"""The rules whose chances take a linear program over sets of tokens, or products over pairs of tokens."""

REFERENCE = "single-levels"
"""What the others are compared with: the first of the sequences, token by token."""

OF_THE_FIRST = ("single-levels", "single-layers")
"""The rules that take several sequences and look at the first alone: the mean over all of them has less noise."""

ON_A_CHAIN = ("traversal", "traversal-distinct", "best-path", "kseq-layers", "priority-layers")
"""The rules that are block verification where a single sequence is drafted."""

CONTROL_CALLS = 12
"""How often a sequence is verified by a broken sampler; every rule's own verifies its tree once."""

PROPER, BROKEN = "the samplers as they are", "acceptance without the quotient"

ROUNDING = 1e-9
"""Masses over some 10^5 tokens, each rounded at 1e-16 of the mass before it in a cumulative sum."""


def _cells(settings: Settings) -> list[Cell]:
    groups = prompt_groups(settings, size=GROUP_SIZE)[: settings.sized(2, 10_000)]
    sizes = [(2, 3)] if settings.scale == "quick" else [(2, 3), (4, 4)]
    starts = [2, 6] if settings.scale == "quick" else [2, 6, 12, 24, 48]
    return [
        Cell(
            CLAIM.id,
            f"K{count}-L{length}-{index}",
            verify_trees,
            {"group": group, "starts": starts, "num_drafts": count, "length": length},
            cost=20,
        )
        for count, length in sizes
        for index, group in enumerate(groups)
    ]


def conclude(context: CellContext) -> Findings:
    """Test what the samplers accepted against the exact chances, and average these over prompts."""
    import pandas as pd

    levels, calls = (pd.DataFrame(context.tables[name]) for name in ("levels", "calls"))
    pair = str(calls["pair"].iloc[0])
    rows = [
        level_rate(levels, "tree", mode, method, context.level, pair)
        for mode, method in ((PROPER, Method.SIMULATION), (BROKEN, Method.CONTROL))
    ]
    return Findings(rows, {"trees": summarise(calls)})


CLAIM = Claim(
    "real.trees",
    "Every source of TREE_VERIFIERS, on a pair of language models",
    "Given the drafted tree, calls accept tokens with the computed chances; their means order the rules, paired.",
    _cells,
    conclude,
    conclusions=1,
    needs_models=True,
    note="Tokens per call are 1 + the mean of E[accepted tokens | drafted tree] over texts of the target; intervals "
    "are over prompts. Canonical decomposition and list sampling are left out: at this vocabulary their chances take "
    "a linear program over sets of tokens, or sums over pairs of them.",
    digest={
        "trees": ("label", "draws", "num_drafts", "length", "mean", "low", "high", "gain", "gain_low", "gain_high")
    },
)


def verify_trees(context: CellContext, group: PromptGroup, starts: list[int], num_drafts: int, length: int) -> Findings:
    """Draft a tree of every kind after texts of the target, and verify it by every rule."""
    worst = Worst(pair=group["pair"], num_drafts=num_drafts, length=length)
    draws = RandomDraws(context.rng)
    calls, levels = Records(), Records()
    rules = list(_fitting(num_drafts))
    for followed in draft_along(group, starts, num_drafts, length, [rule.draws for rule in rules], context.rng):
        for rule in rules:
            drafted = _verified_by(rule, followed)
            reached = [_reached(rule, tree) for tree in drafted]
            for tree, chances in zip(drafted, reached, strict=True):
                levels += _levels(TREE_SAMPLERS[rule.name], 1, tree, chances, draws, PROPER)
                if rule.name == REFERENCE:
                    levels += _levels(CARELESS, CONTROL_CALLS, tree, chances, draws, BROKEN)
            accepted = float(np.mean([chances[1:].sum() for chances in reached]))
            if rule.name == "target-walk":
                worst.see("what the walk of a certain tree accepts, against its nodes", accepted - _mass(drafted[0]))
            instance = {"pair": group["pair"], "num_drafts": num_drafts, "length": length}
            calls.append({"rule": rule.name, "prompt": followed.prompt, **instance, "accepted": accepted})
        _see_chain(worst, followed)
    return Findings(worst.rows(), {"calls": calls, "levels": levels})


CARELESS = walk(by_selection(verify_without_quotient))
"""A sampler that accepts the first draft without the quotient: the control."""


def _fitting(num_drafts: int) -> Iterator[TreeVerifier]:
    """The rules that take so many drafts, or one alone, and whose chances are known at any vocabulary size."""
    for rule in TREE_VERIFIERS.values():
        if rule.name not in STATED_FOR_LISTS and rule.takes in (None, 1, num_drafts):
            yield rule


def _verified_by(rule: TreeVerifier, followed: Followed) -> list[Drafted]:
    """What a rule verifies: the tree that is drafted for it, or if it takes one sequence each of them alone."""
    branches = followed.trees[rule.draws]
    is_alone = rule.takes == 1 or rule.name in OF_THE_FIRST
    parts = [(branch,) for branch in branches] if is_alone else [branches]
    return [Drafted(part, followed.draft, followed.target) for part in parts]


def _reached(rule: TreeVerifier, tree: Drafted) -> Array:
    """The chance that a rule accepts at least l tokens of a tree, from l = 0 on."""
    length = max(map(len, nodes_of(tree.branches)))
    ended = np.zeros(length + 1)
    for path, ends in rule.prepare(tree.draft, tree.target, len(tree.branches), length)(tree.branches):
        ended[len(path)] += ends.sum()
    reached: Array = np.cumsum(ended[::-1])[::-1]
    return reached


def _levels(sampler: TreeSampler, calls: int, tree: Drafted, reached: Array, draws: RandomDraws, mode: str) -> Records:
    """Verify a tree so often, and tell of every level that a call came to whether it went on, and its exact chance."""
    records = Records()
    for _ in range(calls):
        accepted = len(sampler(tree, draws)) - 1
        for level in range(min(accepted + 1, reached.size - 1)):
            chance = min(float(reached[level + 1] / reached[level]), 1.0) if reached[level] > 0 else 0.0
            records.append({"mode": mode, "accepted": level < accepted, "chance": chance})
    return records


def _mass(tree: Drafted) -> float:
    """The sum of the target's probabilities of the nodes."""
    return sum(
        float(np.prod([tree.target(node[:level])[token] for level, token in enumerate(node)]))
        for node in nodes_of(tree.branches)
    )


def _see_chain(worst: Worst, followed: Followed) -> None:
    """Compare what becomes of the first sequence alone by rules that are block verification there."""
    chain = Drafted(followed.trees["sequences"][:1], followed.draft, followed.target)
    by_blocks, alone = (_reached(TREE_VERIFIERS[name], chain) for name in ("block-verification", REFERENCE))
    for name in ON_A_CHAIN:
        rule = TREE_VERIFIERS[name]
        gap = np.abs(_reached(rule, chain) - by_blocks).max()
        worst.see(f"one sequence: {rule.label} against block verification", gap, tolerance=ROUNDING)
    worst.see("one sequence: token by token", np.abs(alone - by_blocks).max(), method=Method.CONTROL)


def summarise(calls: pd.DataFrame) -> Records:
    """Tokens per call of each rule, and what it gains on one draft, paired; the best first."""
    records = Records()
    for (count, length), part in calls.groupby(["num_drafts", "length"]):
        reference = part[part["rule"] == REFERENCE]["accepted"].to_numpy()
        rows = []
        for name, own in part.groupby("rule"):
            rule, tokens = TREE_VERIFIERS[str(name)], 1.0 + own["accepted"]
            gain = over_prompts(own["accepted"] - reference, own["prompt"])
            rows.append(
                {
                    "verifier": rule.name,
                    "label": rule.label,
                    "draws": rule.draws,
                    "is_lossless": rule.is_lossless,
                    "num_drafts": count,
                    "length": length,
                    **over_prompts(tokens, own["prompt"], 1.0, 1.0 + float(length)),
                    **{"gain": gain["mean"], "gain_low": gain["low"], "gain_high": gain["high"]},
                    "prompts": own["prompt"].nunique(),
                    "trees": len(own),
                }
            )
        rows.sort(key=lambda row: -row["mean"])
        records += [{"rank": place, **row} for place, row in enumerate(rows, start=1)]
    return records
