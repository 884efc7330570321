"""The batch verifier emits the target's joint law."""

from __future__ import annotations

from typing import Any

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.worst import Worst
from specproof.simulations.claims.yin2024 import SOURCE
from specproof.simulations.claims.yin2024.example_chain import HORIZON, instance, last_two_law, observe, simulated_pair
from specproof.simulations.evidence import Method, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers.batch import batch_tables, simulate, simulate_tables
from specproof.simulations.statistics import check_law
from specproof.theory.chain import random_markov_pair, random_tabular_pair
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration

SMALL = 3
"""States and positions of the chain whose joint law is tested whole."""


def _cells(settings: Settings) -> list[Cell]:
    runs = settings.sized(250_000, 20_000_000)
    return [
        Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(150, 3000)}, cost=2),
        *(
            Cell(CLAIM.id, f"simulation-m{count}", simulation, {"num_drafts": count, "runs": runs}, tests=2, cost=2)
            for count in (2, 5)
        ),
    ]


CLAIM = Claim(
    "yin2024.batch-lossless",
    f"{SOURCE}, Theorem 3",
    "Trying M drafts in turn against successive residuals, then following the accepted one alone, emits exactly q.",
    _cells,
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Compare the joint law of the algorithm, enumerated branch by branch, with the target's."""
    rng = context.rng
    worst = Worst(states="1..4", horizon="1..5", drafts="1..5")
    for _ in range(instances):
        size, horizon, count = int(rng.integers(1, 5)), int(rng.integers(1, 6)), int(rng.integers(1, 6))
        draft, target = random_tabular_pair(size, horizon, rng, concentration=float(rng.choice([0.1, 0.5, 2.0])))
        run = runs_by_enumeration(draft, target, count)
        worst.see("joint law of the output", np.abs(run.output - target.joint()).max())
        broken_control = np.abs(run.output - draft.joint()).max()
        worst.see("joint law of the output against the draft's", broken_control, method=Method.CONTROL)
    return Findings(worst.rows())


def simulation(context: CellContext, num_drafts: int, runs: int) -> Findings:
    """Test the joint law of a short chain and the end of a long one, and a broken control with one draft's residual."""
    rng, level = context.rng, context.level
    draft, target = random_markov_pair(SMALL, SMALL, np.random.default_rng(SMALL))
    texts = simulate(draft, target, num_drafts, runs, rng).tokens
    numbers = np.ravel_multi_index(tuple(texts.T), (SMALL,) * SMALL)
    joint = check_law(numbers, target.tabulate().joint().reshape(-1), level)
    short: dict[str, Any] = {"states": SMALL, "horizon": SMALL, "drafts": num_drafts}
    rows = [from_check("joint law of all tokens", joint, level=level, resolution=0.01, **short)]

    draft, target = simulated_pair()
    law, tables = last_two_law(target), batch_tables(draft, target, num_drafts)
    _, pairs = observe(lambda n: simulate_tables(tables, HORIZON, n, rng), runs)
    end = check_law(pairs, law, level)
    rows.append(from_check("law of the last two tokens", end, level=level, resolution=0.01, **short | instance()))

    broken_control = tables._replace(residual=tables.single.residual)
    _, pairs = observe(lambda n: simulate_tables(broken_control, HORIZON, n, rng), runs)
    quantity = "last two tokens, a failed batch resampled from the residual of one draft"
    broken = check_law(pairs, law, level)
    rows.append(from_check(quantity, broken, level=level, method=Method.CONTROL, **short | instance()))
    return Findings(rows)
