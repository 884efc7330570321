"""Acceptance of every verifier and the optimum at positions reached by sampling the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.real.confidence import over_prompts
from specproof.simulations.claims.real.positions import row_by_row, walk_prompts
from specproof.simulations.claims.real.prompt_groups import PromptGroup, prompt_groups
from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.samplers.recursive_without_replacement import estimate_acceptance
from specproof.theory.distribution import Array, total_variation
from specproof.theory.transport import optimal_acceptance
from specproof.theory.verifiers import VERIFIERS, Verifier
from specproof.theory.verifiers.single import maximal_coupling

if TYPE_CHECKING:
    import pandas as pd

DRAFT_COUNTS = (1, 2, 4, 8)
LAW_TOLERANCE = 1e-9
"""A law over some 10^5 tokens, each rounded at 1e-16 of the mass before it in a cumulative sum."""

ONE_DRAFT, FLAGSHIP = "single", "kseq"
DISTINCT = "recursive_distinct"
"""Recursive rejection without replacement, whose acceptance is estimated."""


def _compared() -> list[Verifier]:
    """The verifiers of several drafts, without those that are sure to reach the optimum and would repeat its curve."""
    return [
        verifier
        for name, verifier in VERIFIERS.items()
        if name != ONE_DRAFT and (verifier.guarantee is None or verifier.guarantee(DRAFT_COUNTS[-1]) < 1.0)
    ]


def _cells(settings: Settings) -> list[Cell]:
    horizon = settings.sized(16, 128)
    return [
        Cell(CLAIM.id, f"walk-{index}", walk, {"group": group, "horizon": horizon}, cost=16)
        for index, group in enumerate(prompt_groups(settings))
    ]


def conclude(context: CellContext) -> Findings:
    """Look for the position closest to breaking an inequality, and average over positions and prompts."""
    import pandas as pd

    positions = pd.DataFrame(context.tables["positions"])
    instance = {"pair": str(positions["pair"].iloc[0]), "positions": len(positions)}
    least, worst = Least(**instance), Worst(**instance)

    def see(quantity: str, values: pd.Series, bound: float = 0.0, method: Method = Method.IDENTITY) -> None:
        least.see(quantity, values.to_numpy(), bound=bound, tolerance=LAW_TOLERANCE, method=method)

    for k in DRAFT_COUNTS:
        see(f"least of K-SEQ minus one draft, k = {k}", positions[f"{FLAGSHIP}_{k}"] - positions[ONE_DRAFT])
    for verifier in _compared():
        for k in DRAFT_COUNTS:
            gain = positions[f"optimal_{k}"] - positions[f"{verifier.name}_{k}"]
            see(f"least of optimum minus {verifier.label}, k = {k}", gain)
            if verifier.guarantee is not None:
                share = _share(positions, verifier.name, k)
                quantity = f"least share of the optimum that {verifier.label} reaches, k = {k}"
                see(quantity, share, verifier.guarantee(k))
        error = positions[f"{verifier.name}_error"].to_numpy().max()
        quantity = f"output law of {verifier.label}, in total variation"
        worst.see(quantity, error, instances=len(positions), tolerance=LAW_TOLERANCE)
    share = _share(positions, FLAGSHIP, DRAFT_COUNTS[-1])
    see("least share, if K-SEQ beat the optimum", share, 1.001, Method.CONTROL)
    return Findings(least.rows() + worst.rows(), {"acceptance": _summary(positions)})


CLAIM = Claim(
    "real.acceptance",
    "Sun et al. 2023, arXiv 2310.15141, on a pair of language models",
    "At every position of real text: one draft <= K-SEQ <= optimum <= K-SEQ / (1 - 1/e), and K-SEQ emits the target.",
    _cells,
    conclude,
    needs_models=True,
    formula=r"\alpha_1\le\alpha_{\text{K-SEQ}}\le\alpha^*\le\frac{\alpha_{\text{K-SEQ}}}{1-1/e}",
)


def walk(context: CellContext, group: PromptGroup, horizon: int) -> Findings:
    """Sample from the target and compute the acceptance of every rule at each position, over the full vocabulary.

    That of recursive rejection without replacement is an unbiased estimate from one run, as its law has too many
    histories.
    """
    records: Records = []
    for reached in walk_prompts(group, horizon, context.rng):
        laws = reached.draft, reached.target
        records += reached.records(row_by_row(_acceptances, *laws) | _estimates(*laws, context.rng))
    return Findings(tables={"positions": records})


def _share(positions: pd.DataFrame, name: str, num_drafts: int) -> pd.Series:
    """The share of the optimum; 0/0 counts as 1."""
    return (positions[f"{name}_{num_drafts}"] / positions[f"optimal_{num_drafts}"]).fillna(1.0)


def _acceptances(draft: Array, target: Array) -> dict[str, Array]:
    columns = {"tv": total_variation(draft, target), ONE_DRAFT: maximal_coupling(draft, target).acceptance}
    best = optimal_acceptance(draft, target, DRAFT_COUNTS)
    columns |= {f"optimal_{count}": best[..., index] for index, count in enumerate(DRAFT_COUNTS)}
    for verifier in _compared():
        errors = []
        for count in DRAFT_COUNTS:
            law = verifier.law(draft, target, count)
            columns[f"{verifier.name}_{count}"] = law.acceptance
            errors.append(0.5 * np.abs(law.output - target).sum(axis=-1))
        columns[f"{verifier.name}_error"] = np.max(errors, axis=0)
    return columns


def _estimates(draft: Array, target: Array, rng: np.random.Generator) -> dict[str, Array]:
    found = estimate_acceptance(draft, target, max(DRAFT_COUNTS), rng)
    return {f"{DISTINCT}_{count}": found[:, count - 1] for count in DRAFT_COUNTS}


def _summary(positions: pd.DataFrame) -> Records:
    """Average within each prompt, then over prompts: positions of one text are dependent."""
    records: Records = []
    for rule in (ONE_DRAFT, *(verifier.name for verifier in _compared()), DISTINCT, "optimal"):
        for count in DRAFT_COUNTS:
            column = rule if rule == ONE_DRAFT else f"{rule}_{count}"
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
