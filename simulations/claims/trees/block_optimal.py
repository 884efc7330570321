"""Block verification is optimal: no lossless rule accepts more of one draft sequence, by the linear program."""

from __future__ import annotations

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.texts.reach_weights import degenerate_pairs
from specproof.simulations.claims.trees.small_models import small_models
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.chain import TabularModel
from specproof.theory.trees.block_optimum import block_optimum
from specproof.theory.trees.rules.registry import call_law

SOLVED = 1e-9
"""Masses that a linear program keeps to 1e-10, some dozens of them."""


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "linear-program", linear_program, {"instances": settings.sized(80, 800)}, cost=2),
        Cell(CLAIM.id, "degenerate", degenerate),
    ]


CLAIM = Claim(
    "block.optimal",
    "Sun et al. 2024, arXiv 2403.10444, Theorem 2; Thomas, Pal 2026, arXiv 2602.16961, without its restriction",
    "What block verification accepts of one sequence is the block optimum, whatever else a rule may look at.",
    _cells,
)


def linear_program(context: CellContext, instances: int) -> Findings:
    """Solve the program on small models of every kind, and put both rules for one sequence beside it."""
    worst = Worst(tokens="2..4", length="1..3", num_drafts=1)
    for index in range(instances):
        instance = small_models(context.rng, index)
        _compare(worst, (instance.draft, instance.target), instance.length)
    return Findings(worst.rows())


def degenerate(_: CellContext) -> Findings:
    """Solve it where draft and target are equal, disjoint, without some tokens, of one token, or denormal."""
    worst = Worst(length=2, num_drafts=1)
    for pair in degenerate_pairs().values():
        _compare(worst, pair, 2)
    return Findings(worst.rows())


def _compare(worst: Worst, pair: tuple[TabularModel, TabularModel], length: int) -> None:
    optimum = block_optimum(*pair, 1, length)
    worst.see(
        "bracket of the block optimum, without rounding", float(optimum.highest - optimum.lowest), tolerance=SOLVED
    )
    accepted = call_law("block-verification", *pair, 1, length).mean
    worst.see("block optimum minus block verification", optimum.accepted_length - accepted, tolerance=SOLVED)
    alone = call_law("single-levels", *pair, 1, length).mean
    quantity = "block optimum minus token by token"
    worst.see(quantity, optimum.accepted_length - alone, tolerance=SOLVED, method=Method.CONTROL)
