"""The published rules for drafted trees, registered; and the rules that every verifier of one position makes."""

from __future__ import annotations

import numpy as np

from specproof.theory.trees.branches import words
from specproof.theory.trees.draft_trees import NodeLaw
from specproof.theory.trees.layers import lift
from specproof.theory.trees.rules.chains import best_chain, hierarchical, one_chain
from specproof.theory.trees.rules.importance import importance
from specproof.theory.trees.rules.levels import hub, selection, target_draw, top_and_one, walk, without_replacement
from specproof.theory.trees.rules.multi_block import multi_block
from specproof.theory.trees.rules.races import races
from specproof.theory.trees.rules.registry import (
    Given,
    Prepare,
    TreeVerifier,
    register_tree_verifier,
)
from specproof.theory.trees.rules.traversal import traversal
from specproof.theory.verifiers import VERIFIERS, Verifier

SOURCES = {
    "single": "Leviathan et al. 2023, arXiv 2211.17192; Chen et al. 2023, arXiv 2302.01318: the first of the drafts",
    "kseq": "Sun et al. 2023, SpecTr, arXiv 2310.15141, Algorithm 3",
    "recursive": "Miao et al. 2023, SpecInfer, arXiv 2305.09781, multi-step speculative sampling on a tree",
    "priority": "docs/priority-coupling.md, level by level as in SpecTr",
}
"""Who publishes the rules that verifiers of one position make level by level."""


def source_of(rule: Verifier) -> str:
    """Who publishes what a verifier of one position makes level by level.

    Examples
    --------
    >>> source_of(VERIFIERS["kseq"])
    'Sun et al. 2023, SpecTr, arXiv 2310.15141, Algorithm 3'
    """
    return SOURCES.get(rule.name, "registered by a user")


def lifted(rule: Verifier) -> Prepare:
    """The layer lift of a verifier, of sequences that are given as branches.

    Examples
    --------
    >>> from specproof.theory.trees.branches import chain
    >>> laws = (lambda node: np.array([0.5, 0.5])), (lambda node: np.array([0.25, 0.75]))
    >>> [(path, ends.tolist()) for path, ends in lifted(VERIFIERS["priority"])(*laws, 1, 1)(chain([0]))]
    [((0,), [0.125, 0.375]), ((), [0.0, 0.5])]
    """

    def prepare(draft: NodeLaw, target: NodeLaw, _: int, __: int) -> Given:
        return lambda branches: lift(draft, target, np.array(words(branches)), rule)

    return prepare


def _register_of(rule: Verifier) -> None:
    """Register what a verifier of one position makes: level by level, and lifted to layers."""
    source = source_of(rule)
    name = f"{rule.label}, level by level"
    look = (rule.colour, rule.marker)
    register_tree_verifier(TreeVerifier(f"{rule.name}-levels", name, *look, source, "sequences", walk(selection(rule))))
    source = "Cha, Cho, Yun 2026, Layer Verification, generalised"
    lifts = (f"{rule.name}-layers", f"{rule.label}, lifted to layers")
    register_tree_verifier(TreeVerifier(*lifts, *look, source, "sequences", lifted(rule)))


for _rule in VERIFIERS.values():
    if _rule.given_drafts is not None:
        _register_of(_rule)

PUBLISHED = (
    TreeVerifier(
        "sequoia",
        "recursive rejection, distinct siblings",
        "#E69F00",
        "v",
        "Chen et al. 2024, Sequoia, arXiv 2402.12374; Jeon et al. 2024, arXiv 2402.14160",
        "distinct",
        walk(without_replacement),
    ),
    TreeVerifier(
        "target-walk",
        "target's walk of a certain tree",
        "#009E73",
        "s",
        "EAGLE-2, arXiv 2406.16858; so do SGLang and TensorRT-LLM verify certain trees",
        "likeliest",
        walk(target_draw),
    ),
    TreeVerifier(
        "exact-match",
        "exact match",
        "#999999",
        "x",
        "Miao et al. 2023, SpecInfer, arXiv 2305.09781, naive sampling",
        "sequences",
        walk(target_draw),
    ),
    TreeVerifier(
        "argmax",
        "argmax as a point mass",
        "#777777",
        "1",
        "Draft tokens without their law, as engines take them from greedy drafts",
        "greedy",
        walk(target_draw),
    ),
    TreeVerifier(
        "traversal",
        "traversal verification",
        "#0072B2",
        "^",
        "Weng et al. 2025, arXiv 2505.12398",
        "sequences",
        traversal(distinct=False),
    ),
    TreeVerifier(
        "traversal-distinct",
        "traversal verification, distinct siblings",
        "#56B4E9",
        "<",
        "Weng et al. 2025, arXiv 2505.12398",
        "distinct",
        traversal(distinct=True),
    ),
    TreeVerifier(
        "block-verification",
        "block verification, one sequence",
        "#56B4E9",
        "P",
        "Sun et al. 2024, arXiv 2403.10444, Algorithm 2",
        "sequences",
        one_chain,
        takes=1,
    ),
    TreeVerifier(
        "best-path",
        "greedy multi-path block verification",
        "#D55E00",
        "p",
        "Thomas, Pal 2026, arXiv 2602.16961",
        "sequences",
        best_chain,
    ),
    TreeVerifier(
        "spectr-gbv",
        "SpecTr-GBV, one call",
        "#000000",
        "*",
        "Lin et al. 2026, arXiv 2604.25925, and its code",
        "sequences",
        multi_block,
        is_lossless=False,
    ),
    TreeVerifier(
        "hierarchical",
        "hierarchical speculative decoding",
        "#444444",
        "X",
        "Zhou et al. 2026, arXiv 2601.05724, and its code",
        "sequences",
        hierarchical,
        takes=1,
        is_lossless=False,
    ),
    TreeVerifier(
        "spechub",
        "SpecHub",
        "#F0E442",
        "h",
        "Sun et al. 2024, arXiv 2411.05289, and its code",
        "hub",
        walk(hub),
        takes=2,
    ),
    TreeVerifier(
        "canonical",
        "canonical decomposition",
        "#882255",
        "D",
        "Khisti et al. 2025, arXiv 2410.18234",
        "sequences",
        walk(importance),
    ),
    TreeVerifier(
        "top-and-one",
        "top (K-1) plus one draw",
        "#44AA99",
        ">",
        "Hu et al. 2025, arXiv 2502.18779",
        "top-and-one",
        walk(top_and_one),
    ),
    TreeVerifier(
        "gumbel-list",
        "Gumbel-max list sampling",
        "#117733",
        "8",
        "Rowan, Phan, Khisti 2025, arXiv 2506.05632; of one draft Daliri et al., arXiv 2408.07978",
        "sequences",
        walk(races),
    ),
)
"""The rules for drafted trees that are published as such."""

for _each in PUBLISHED:
    register_tree_verifier(_each)
