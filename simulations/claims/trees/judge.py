"""The judge: every rule for drafted trees by its share of the block optimum, and every "optimal" that can be decided.

The block optimum is that of the trees as they are drafted for the rule, so that a rule is not praised for its draws;
the expected accepted length stands beside it. Shares are of random and of structured pairs, and the least that a search
finds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from specproof.simulations.attack import minimise
from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.trees.decided import decide, table_of_decisions
from specproof.simulations.claims.worst import Least
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.theory.chain import TabularModel, random_tabular_pair
from specproof.theory.distribution import Array
from specproof.theory.trees.block_optimum import BlockOptimum, block_optimum_of_trees
from specproof.theory.trees.branches import merged
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.trees.rules.registry import TreeVerifier, call_law, drawn_for

Pair = tuple[TabularModel, TabularModel]

SIZES = {(2, 2, 2): (4, 60), (3, 1, 2): (8, 60), (3, 2, 2): (2, 30), (2, 2, 3): (2, 30), (3, 2, 1): (4, 40)}
"""Tokens V, length L and number of drafts K of random pairs, each with how many are drawn, quick and full."""

SEARCHED = (2, 2, 2)
"""The size of structured pairs and of those that are searched; their laws depend on nothing before."""

LEAST = (
    "best-path",
    "gumbel-list",
    "kseq-levels",
    "priority-layers",
    "priority-levels",
    "recursive-levels",
    "sequoia",
    "spechub",
    "top-and-one",
    "traversal",
    "traversal-distinct",
)
"""The rules whose least share is searched: not those of certain trees, which are optimal, nor weaker relatives."""

EDGE = 0.01
"""The search keeps each probability so far from 0 and 1, where shares are ratios of rounding."""

SOLVED = 1e-9
"""Masses that a linear program keeps to 1e-10, some dozens of them."""

STRUCTURED = {
    "equal laws": ([0.75, 0.25], [0.75, 0.25]),
    "a peaked target": ([0.5, 0.5], [0.95, 0.05]),
    "a peaked draft": ([0.95, 0.05], [0.5, 0.5]),
    "nearly disjoint laws": ([0.99, 0.01], [0.01, 0.99]),
    "a sharper draft": ([0.8, 0.2], [2 / 3, 1 / 3]),
}
"""Laws of draft and target at every position of the structured pairs."""


def _cells(settings: Settings) -> list[Cell]:
    random = [
        Cell(
            CLAIM.id,
            f"random-V{tokens}-L{length}-K{count}",
            random_pairs,
            {"tokens": tokens, "length": length, "num_drafts": count, "instances": settings.sized(*instances)},
            cost=3,
        )
        for (tokens, length, count), instances in SIZES.items()
    ]
    search = {"generations": settings.sized(1, 60), "members": 10, "positions": settings.sized(1, 2)}
    searched = [Cell(CLAIM.id, f"least-{name}", least_share, {"rule": name, **search}, cost=2) for name in LEAST]
    return [
        *random,
        Cell(CLAIM.id, "structured", structured, {"instances": len(STRUCTURED)}, cost=2),
        *searched,
        Cell(CLAIM.id, "decided", decide, {"instances": 12}),
    ]


def conclude(context: CellContext) -> Findings:
    """Average the shares of the optimum over pairs and take the least of all, for each rule and number of drafts."""
    import pandas as pd

    shares = pd.DataFrame(context.tables["shares"])
    few = shares["num_drafts"] > 1
    table = _ranked(shares[few])
    alone = _ranked(shares[~few])
    return Findings(
        tables={
            "share_of_block_optimum": table,
            "share_of_one_sequence": alone,
            "decided": table_of_decisions(),
        }
    )


CLAIM = Claim(
    "judge.share-of-block-optimum",
    "Every source of TREE_VERIFIERS, against the linear program of theory/trees/block_optimum.py",
    "No lossless rule accepts more than the block optimum; what is optimal of them, and what only in name, is decided.",
    _cells,
    conclude,
    digest={
        "share_of_block_optimum": ("label", "draws", "mean", "structured", "least", "accepted"),
        "decided": ("statement", "holds", "where", "reached", "possible"),
    },
)


def random_pairs(context: CellContext, tokens: int, length: int, num_drafts: int, instances: int) -> Findings:
    """Put every rule beside the certified optimum of its trees on random models."""
    least, shares = Least(tokens=tokens, length=length, num_drafts=num_drafts), Records()
    for _ in range(instances):
        concentration = float(context.rng.choice([0.3, 1.0, 3.0]))
        pair = random_tabular_pair(tokens, length + 1, context.rng, concentration=concentration)
        shares += judge(least, pair, num_drafts, length, "random")
    return Findings(least.rows(), {"shares": shares})


def structured(_: CellContext, instances: int) -> Findings:
    """Compare them on pairs that are made to be easy or hard."""
    length, num_drafts = SEARCHED[1:]
    least, shares = Least(length=length, num_drafts=num_drafts), Records()
    for draft, target in list(STRUCTURED.values())[:instances]:
        pair = alike([draft] * (length + 1), [target] * (length + 1))
        shares += judge(least, pair, num_drafts, length, "structured")
    return Findings(least.rows(), {"shares": shares})


def least_share(context: CellContext, rule: str, generations: int, members: int, positions: int) -> Findings:
    """Search for the pair with the least share of the block optimum, of one law or of one for each position."""
    verifier, (_, length, num_drafts) = TREE_VERIFIERS[rule], SEARCHED

    def of_point(point: Array) -> float:
        pair = _pair(point, length)
        optimum = block_optimum_of_trees(merged(drawn_for(verifier, *pair, num_drafts, length)), pair[1])
        return _share(call_law(verifier, *pair, num_drafts, length).mean, optimum)

    def of_points(points: Array) -> Array:
        return np.array([of_point(point) for point in points.T])

    found = minimise(of_points, EDGE, 1.0 - EDGE, 2 * positions, generations, context.rng, members)
    least = Least(rule=rule, length=length, num_drafts=num_drafts)
    least.see("least share of the block optimum", found.value, instances=found.evaluations)
    row = {"verifier": rule, "kind": "search", "tokens": 2, "length": length, "num_drafts": num_drafts}
    return Findings(least.rows(), {"shares": [{**row, "share": found.value, "accepted": float("nan")}]})


def judge(least: Least, pair: Pair, num_drafts: int, length: int, kind: str) -> Records:
    """Compare every rule that takes so many drafts with the optimum of its trees."""
    optima: dict[str, BlockOptimum] = {}
    shares = []
    for verifier in _fitting(pair, num_drafts):
        if verifier.draws not in optima:
            drawn = drawn_for(verifier, *pair, num_drafts, length)
            optima[verifier.draws] = block_optimum_of_trees(merged(drawn), pair[1])
        optimum = optima[verifier.draws]
        accepted = call_law(verifier, *pair, num_drafts, length).mean
        method = Method.IDENTITY if verifier.is_lossless else Method.CONTROL
        if verifier.is_lossless or num_drafts == 1:
            quantity = f"block optimum minus what is accepted, {verifier.label}"
            least.see(quantity, float(optimum.highest) - accepted, method=method, tolerance=SOLVED)
        sizes = {"tokens": pair[0].num_states, "length": length, "num_drafts": num_drafts}
        share = _share(accepted, optimum)
        shares.append({"verifier": verifier.name, "kind": kind, **sizes, "share": share, "accepted": accepted})
    return shares


def alike(draft: list[list[float]], target: list[list[float]]) -> Pair:
    """Two models with one law for each position, whatever came before it.

    Examples
    --------
    >>> alike([[0.5, 0.5], [0.25, 0.75]], [[0.5, 0.5], [0.5, 0.5]])[0].conditionals[1].tolist()
    [[0.25, 0.75], [0.25, 0.75]]
    """

    def model(rows: list[list[float]]) -> TabularModel:
        return TabularModel([np.broadcast_to(row, (len(row),) * (at + 1)) for at, row in enumerate(rows)])

    return model(draft), model(target)


def _pair(point: Array, length: int) -> Pair:
    """Two tokens, and the probabilities of the first by draft and target, at each position or at all of them."""
    firsts = np.broadcast_to(point.reshape(2, -1), (2, length))
    draft, target = ([[float(x), 1.0 - float(x)] for x in (*part, 0.5)] for part in firsts)
    return alike(draft, target)


def _share(accepted: float, optimum: BlockOptimum) -> float:
    return accepted / optimum.accepted_length if optimum.accepted_length > 0 else 1.0


def _fitting(pair: Pair, num_drafts: int) -> Iterator[TreeVerifier]:
    """The rules that take so many drafts of this pair, whose first tokens are as many at least."""
    enough = np.count_nonzero(pair[0].conditionals[0]) >= num_drafts
    for verifier in TREE_VERIFIERS.values():
        distinct = verifier.draws in ("distinct", "hub", "top-and-one")
        if verifier.takes in (None, num_drafts) and (enough or not distinct):
            yield verifier


def _ranked(shares: object) -> Records:
    """One row for each rule, the one with the greatest mean share of random pairs first."""
    import pandas as pd

    assert isinstance(shares, pd.DataFrame)
    rows = []
    for name, part in shares.groupby("verifier"):
        verifier, random = TREE_VERIFIERS[str(name)], part[part["kind"] == "random"]
        made = part[part["kind"] == "structured"]["share"]
        rows.append(
            {
                "verifier": name,
                "label": verifier.label,
                "draws": verifier.draws,
                "is_lossless": verifier.is_lossless,
                "mean": float(random["share"].mean()),
                "structured": float(made.mean()) if len(made) else float("nan"),
                "least": float(part["share"].min()),
                "accepted": float(random["accepted"].mean()),
                "pairs": len(part),
            }
        )
    return [{"rank": place, **row} for place, row in enumerate(sorted(rows, key=lambda row: -row["mean"]), start=1)]
