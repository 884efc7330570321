"""Acceptance of one draft, K-SEQ, recursive rejection and the optimum at positions reached by sampling the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.real.confidence import over_prompts
from specproof.simulations.claims.real.positions import walk_prompts
from specproof.simulations.claims.real.prompt_groups import PromptGroup, prompt_groups
from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.samplers.recursive_without_replacement import estimate_acceptance
from specproof.theory.distribution import Array, total_variation
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers.kseq.guarantee import kseq_worst_share
from specproof.theory.verifiers.kseq.law import kseq
from specproof.theory.verifiers.recursive import recursive_rejection
from specproof.theory.verifiers.single import maximal_coupling

if TYPE_CHECKING:
    import pandas as pd

DRAFT_COUNTS = (1, 2, 4, 8)
LAW_TOLERANCE = 1e-9
"""A law over some 10^5 tokens, each rounded at 1e-16 of the mass before it in a cumulative sum."""


def _cells(settings: Settings) -> list[Cell]:
    horizon = settings.sized(24, 128)
    return [
        Cell(CLAIM.id, f"walk-{index}", walk, {"group": group, "horizon": horizon}, cost=100)
        for index, group in enumerate(prompt_groups(settings))
    ]


def conclude(context: CellContext) -> Findings:
    """Look for the position closest to breaking an inequality, and average over positions and prompts."""
    import pandas as pd

    positions = pd.DataFrame(context.tables["positions"])
    instance = {"pair": str(positions["pair"].iloc[0]), "positions": len(positions)}
    one = positions["single"]
    gains = {k: positions[f"optimal_{k}"] - positions[f"kseq_{k}"] for k in DRAFT_COUNTS}
    # Where nothing can be accepted, 0 of 0 is all of it.
    shares = {k: (positions[f"kseq_{k}"] / positions[f"optimal_{k}"]).fillna(1.0) for k in DRAFT_COUNTS}

    least = Least(**instance)

    def see(quantity: str, values: pd.Series, bound: float = 0.0, method: Method = Method.IDENTITY) -> None:
        least.see(quantity, values.to_numpy(), bound=bound, tolerance=LAW_TOLERANCE, method=method)

    for k in DRAFT_COUNTS:
        see(f"least of K-SEQ minus one draft, k = {k}", positions[f"kseq_{k}"] - one)
    for k in DRAFT_COUNTS:
        see(f"least of optimum minus K-SEQ, k = {k}", gains[k])
    for k in DRAFT_COUNTS:
        see(
            f"least of optimum minus recursive rejection, k = {k}",
            positions[f"optimal_{k}"] - positions[f"recursive_{k}"],
        )
    for k in DRAFT_COUNTS:
        see(f"least share of the optimum that K-SEQ reaches, k = {k}", shares[k], kseq_worst_share(k))
    see("least share, if K-SEQ beat the optimum", shares[DRAFT_COUNTS[-1]], 1.001, Method.CONTROL)
    worst = Worst(**instance)
    worst.see(
        "output law of K-SEQ, in total variation",
        positions["law_error"].to_numpy().max(),
        instances=len(positions),
        tolerance=LAW_TOLERANCE,
    )
    return Findings(least.rows() + worst.rows(), {"acceptance": _summary(positions)})


CLAIM = Claim(
    "real.acceptance",
    "Sun et al. 2023, arXiv 2310.15141, on a pair of language models",
    "At every position of real text: one draft <= K-SEQ <= optimum <= K-SEQ / (1 - 1/e), and K-SEQ emits the target.",
    _cells,
    conclude,
    needs_models=True,
)


def walk(context: CellContext, group: PromptGroup, horizon: int) -> Findings:
    """Sample from the target and compute the acceptance of every rule at each position, over the full vocabulary.

    That of recursive rejection without replacement is an unbiased estimate from one run, as its law has too many
    histories.
    """
    records: Records = []
    for reached in walk_prompts(group, horizon, context.rng):
        laws = reached.draft, reached.target
        records += reached.records(_acceptances(*laws) | _estimates(*laws, context.rng))
    return Findings(tables={"positions": records})


def _acceptances(draft: Array, target: Array) -> dict[str, Array]:
    columns = {"tv": total_variation(draft, target), "single": maximal_coupling(draft, target).acceptance}
    best = optimal_acceptance(draft, target, DRAFT_COUNTS)
    errors = []
    for index, count in enumerate(DRAFT_COUNTS):
        law = kseq(draft, target, count)
        columns[f"kseq_{count}"], columns[f"optimal_{count}"] = law.acceptance, best[:, index]
        columns[f"recursive_{count}"] = recursive_rejection(draft, target, count).acceptance
        errors.append(0.5 * np.abs(law.output - target).sum(axis=-1))
    columns["law_error"] = np.max(errors, axis=0)
    return columns


def _estimates(draft: Array, target: Array, rng: np.random.Generator) -> dict[str, Array]:
    found = estimate_acceptance(draft, target, max(DRAFT_COUNTS), rng)
    return {f"distinct_{count}": found[:, count - 1] for count in DRAFT_COUNTS}


def _summary(positions: pd.DataFrame) -> Records:
    """Average within each prompt, then over prompts: positions of one text are dependent."""
    records: Records = []
    for rule in ("single", "kseq", "recursive", "distinct", "optimal"):
        for count in DRAFT_COUNTS:
            column = rule if rule == "single" else f"{rule}_{count}"
            records.append(
                {
                    "rule": rule,
                    "num_drafts": count,
                    **over_prompts(positions[column], positions["prompt"], 0.0, 1.0),
                    "prompts": positions["prompt"].nunique(),
                    "positions": len(positions),
                    "pair": str(positions["pair"].iloc[0]),
                }
            )
    return records
