"""What the literature calls optimal, decided: identities where it is, the smallest counterexample in fractions else."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.evidence import Method, within
from specproof.simulations.experiments.cell import CellContext, Findings, Records
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import dirichlet
from specproof.theory.trees.block_optimum import block_optimum_of_trees
from specproof.theory.trees.branches import merged
from specproof.theory.trees.rules import TREE_VERIFIERS
from specproof.theory.trees.rules.multi_block import stated_length
from specproof.theory.trees.rules.registry import call_law, drawn_for

SOLVED = 1e-9
"""Masses that a linear program keeps to 1e-10, some dozens of them."""


class Optimal(NamedTuple):
    """A statement that a rule reaches the optimum of its drafts, which holds at some sizes."""

    rule: str
    statement: str
    num_drafts: int
    length: int


class Short(NamedTuple):
    """A statement that fails: on two tokens with these probabilities of the first at each position."""

    rule: str
    statement: str
    num_drafts: int
    draft: tuple[Fraction, ...]
    target: tuple[Fraction, ...]
    reached: Fraction
    possible: Fraction


def _fractions(text: str) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, text.split()))


HOLD = (
    Optimal("block-verification", "block verification is optimal for one sequence (2403.10444, 2602.16961)", 1, 2),
    Optimal("traversal", "traversal verification is optimal on a chain (2505.12398)", 1, 2),
    Optimal("priority-layers", "priority layer verification is optimal for one sequence", 1, 2),
    Optimal("priority-levels", "the priority coupling is optimal at one position", 2, 1),
    Optimal("canonical", "canonical decomposition is optimal at one position (2410.18234)", 2, 1),
    Optimal("top-and-one", "top (K-1) plus one draw is verified optimally at one position (2502.18779)", 2, 1),
    Optimal("spechub", "SpecHub accepts all that its pairs allow at one position (2411.05289)", 2, 1),
    Optimal("target-walk", "the target's walk is optimal for every certain tree", 2, 2),
)
"""Statements that hold on every pair that was looked at."""

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
PLAIN = ((HALF,), (QUARTER,))

FAIL = (
    Short("recursive-levels", "recursive rejection is optimal", 2, *PLAIN, Fraction(7, 8), Fraction(1)),
    Short("traversal", "traversal verification is optimal on trees", 2, *PLAIN, Fraction(7, 8), Fraction(1)),
    Short("gumbel-list", "list sampling is optimal", 2, *PLAIN, Fraction(9, 10), Fraction(1)),
    Short("best-path", "the best of K paths is no worse than one", 2, (HALF,), (HALF,), Fraction(3, 4), Fraction(1)),
    Short(
        "priority-levels",
        "what is optimal at each position is optimal for blocks",
        2,
        _fractions("2/3 2/3"),
        _fractions("2/3 1/3"),
        Fraction(145, 81),
        Fraction(17, 9),
    ),
    Short(
        "priority-layers",
        "priority layer verification is optimal for several sequences",
        2,
        (HALF, HALF),
        (HALF, QUARTER),
        Fraction(15, 8),
        Fraction(2),
    ),
)
"""Statements that fail, each with the pair of smallest denominators that was found."""

STATED = "the expected length that SpecTr-GBV states is the largest (2604.25925)"
STATED_LENGTH, POSSIBLE = Fraction(11, 12), Fraction(1)


def decide(context: CellContext, instances: int) -> Findings:
    """Check every identity on so many random pairs, and every counterexample to the last digit."""
    worst, least = Worst(), Least(pair="of the counterexample")
    for statement in HOLD:
        for _ in range(instances):
            tokens = 3 if statement.length == 1 else 2
            pair = _random_pair(context.rng, tokens, statement.length)
            reached, possible = _compared(statement.rule, pair, statement.num_drafts, statement.length)
            worst.see(statement.statement, reached - possible, tolerance=SOLVED)
    rows = worst.rows()
    for case in FAIL:
        pair = _two_tokens(case.draft, case.target)
        reached, possible = _compared(case.rule, pair, case.num_drafts, len(case.draft))
        for what, exact, found in (("reached", case.reached, reached), ("possible", case.possible, possible)):
            quantity = f"{what} where it fails that {case.statement}: {exact}"
            rows.append(
                within(quantity, exact=float(exact), estimate=found, tolerance=SOLVED, method=Method.CERTIFICATE)
            )
        least.see(case.statement, reached - possible, method=Method.CONTROL, tolerance=SOLVED)
    pair = _two_tokens(*PLAIN)
    stated = stated_length(*pair, 2, 1)
    rows.append(within(f"what SpecTr-GBV states: {STATED_LENGTH}", exact=11 / 12, estimate=stated, tolerance=1e-12))
    least.see(STATED, stated - _compared("traversal", pair, 2, 1)[1], method=Method.CONTROL, tolerance=SOLVED)
    return Findings(rows + least.rows())


def table_of_decisions() -> Records:
    """Every statement with what became of it."""
    held = [
        {"statement": it.statement, "holds": True, "where": f"K = {it.num_drafts}, L = {it.length}"}
        | {"reached": "", "possible": ""}
        for it in HOLD
    ]
    failed = [
        {"statement": it.statement, "holds": False, "where": f"K = {it.num_drafts}, p = {_shown(it.draft)}"}
        | {"reached": str(it.reached), "possible": str(it.possible)}
        for it in FAIL
    ]
    for row, it in zip(failed, FAIL, strict=True):
        row["where"] = f"{row['where']}, q = {_shown(it.target)}"
    stated = {"statement": STATED, "holds": False, "where": "K = 2, p = (1/2), q = (1/4)"}
    return [*held, *failed, {**stated, "reached": str(STATED_LENGTH), "possible": str(POSSIBLE)}]


def _compared(rule: str, pair: tuple[TabularModel, TabularModel], num_drafts: int, length: int) -> tuple[float, float]:
    """What a rule accepts, and the block optimum of its trees."""
    drawn = drawn_for(TREE_VERIFIERS[rule], *pair, num_drafts, length)
    optimum = block_optimum_of_trees(merged(drawn), pair[1]).accepted_length
    return call_law(rule, *pair, num_drafts, length).mean, optimum


def _random_pair(rng: np.random.Generator, tokens: int, length: int) -> tuple[TabularModel, TabularModel]:
    draft, target = (
        TabularModel([dirichlet(tokens, 1.0, rng, (tokens,) * level) for level in range(length + 1)]) for _ in range(2)
    )
    return draft, target


def _two_tokens(draft: tuple[Fraction, ...], target: tuple[Fraction, ...]) -> tuple[TabularModel, TabularModel]:
    """Two models of two tokens, the first of which has these probabilities at each position, whatever came before."""

    def model(firsts: tuple[Fraction, ...]) -> TabularModel:
        rows = [[float(first), float(1 - first)] for first in (*firsts, HALF)]
        return TabularModel([np.broadcast_to(row, (2,) * (level + 1)) for level, row in enumerate(rows)])

    return model(draft), model(target)


def _shown(firsts: tuple[Fraction, ...]) -> str:
    return f"({', '.join(map(str, firsts))})"
