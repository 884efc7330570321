"""Theorem 1: expected rejections over a horizon."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulations.claims.claim import Claim, Settings
from simulations.claims.worst import Worst
from simulations.claims.yin2024 import SOURCE
from simulations.evidence import Method, from_check
from simulations.experiments.cell import Cell, Findings, Records
from simulations.samplers.rejections import Runs, StepTables, simulate_tables, step_tables
from simulations.statistics import check_law, check_mean, mean_interval
from theory.chain import MarkovChain, random_markov_pair, random_tabular_pair
from theory.distribution import Array
from theory.enumeration import enumerate_speculation
from theory.rejections import expected_rejections, rejection_law

NUM_STATES, HORIZON, CHAIN_SEED = 7, 50, 2024
"""The simulated chain: sizes as in the paper's simulation, rows drawn once from this seed (the paper gives none)."""

BAND_LEVEL = 0.01
"""Error level of each interval in the convergence table, which is drawn and not tested."""


def _cells(settings: Settings) -> list[Cell]:
    claim = "yin2024.theorem1"
    return [
        Cell(claim, "enumeration", enumeration, {"instances": settings.sized(60, 600)}, cost=2),
        Cell(claim, "chain", chain, {"runs": settings.sized(1_000_000, 20_000_000)}, tests=3, cost=8),
    ]


CLAIM = Claim(
    "yin2024.theorem1",
    f"{SOURCE}, Theorem 1",
    "Expected rejections over a horizon are the sum of the total variation distances, prefixes weighted by the target.",
    _cells,
)


def enumeration(rng: np.random.Generator, level: float, instances: int) -> Findings:
    """Compare the recursions with the algorithm enumerated branch by branch, on small random models."""
    del level
    worst = Worst(states="1..4", horizon="1..5")
    for _ in range(instances):
        size, horizon = int(rng.integers(1, 5)), int(rng.integers(1, 6))
        concentration = float(rng.choice([0.1, 0.5, 2.0]))
        draft, target = random_markov_pair(
            size, horizon, rng, concentration=concentration, stationary=bool(rng.integers(2))
        )
        run = enumerate_speculation(draft.tabulate(), target.tabulate())
        mean = run.rejections @ np.arange(horizon + 1)
        worst.see("recursion on Markov chains, against enumeration", mean - expected_rejections(draft, target))
        worst.see("law of the number of rejections", np.abs(run.rejections - rejection_law(draft, target)).max())
        worst.see("enumerated output law", np.abs(run.output - target.tabulate().joint()).max())
        swapped = mean - expected_rejections(target, draft)
        worst.see("prefixes weighted by the draft instead", swapped, method=Method.CONTROL)

        draft_table, target_table = random_tabular_pair(size, horizon, rng, concentration=concentration)
        run = enumerate_speculation(draft_table, target_table)
        mean = run.rejections @ np.arange(horizon + 1)
        worst.see("sum over histories, against enumeration", mean - expected_rejections(draft_table, target_table))
        worst.see("enumerated output law", np.abs(run.output - target_table.joint()).max())
    return Findings(worst.rows())


def chain(rng: np.random.Generator, level: float, runs: int) -> Findings:
    """Simulate the non-stationary chain, and broken twins of the sampler."""
    draft, target = simulated_pair()
    exact = expected_rejections(draft, target)
    tables = step_tables(draft, target)
    counts, pairs = _observe(tables, runs, rng)
    instance: dict[str, Any] = {"states": NUM_STATES, "horizon": HORIZON, "chain_seed": CHAIN_SEED}
    mean = check_mean(counts.astype(np.float64), 0, HORIZON, exact, level)
    law = check_law(counts, rejection_law(draft, target), level)
    last_two = _last_two_law(target).reshape(-1)
    rows = [
        from_check("mean number of rejections", mean, level=level, resolution=0.01 * exact, **instance),
        from_check("law of the number of rejections", law, level=level, resolution=0.01, **instance),
        from_check(
            "law of the last two tokens", check_law(pairs, last_two, level), level=level, resolution=0.01, **instance
        ),
    ]
    wrong_mean = expected_rejections(target, draft)
    wrong = check_mean(counts.astype(np.float64), 0, HORIZON, wrong_mean, level)
    rows.append(
        from_check("mean, prefixes weighted by the draft", wrong, level=level, method=Method.CONTROL, **instance)
    )
    for name, broken in _broken(tables, draft, target).items():
        few = runs // 10
        broken_counts, broken_pairs = _observe(broken, few, rng)
        check = check_law(broken_pairs, last_two, level)
        rows.append(from_check(f"last two tokens, {name}", check, level=level, method=Method.CONTROL, **instance))
        if name == "acceptance without the quotient":
            check = check_mean(broken_counts.astype(np.float64), 0, HORIZON, exact, level)
            rows.append(from_check(f"mean, {name}", check, level=level, method=Method.CONTROL, **instance))
    return Findings(rows, {"convergence": _convergence(counts, exact)})


def simulated_pair() -> tuple[MarkovChain, MarkovChain]:
    """Return the non-stationary draft and target chain that the figure shows."""
    return random_markov_pair(NUM_STATES, HORIZON, np.random.default_rng(CHAIN_SEED))


def _observe(tables: StepTables, runs: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Count the rejections of each run and number its last two tokens, a block of runs at a time."""
    counts, pairs = [], []
    for start in range(0, runs, 50_000):
        block: Runs = simulate_tables(tables, HORIZON, min(50_000, runs - start), rng)
        counts.append(block.rejected.sum(axis=1))
        pairs.append(block.tokens[:, -2] * NUM_STATES + block.tokens[:, -1])
    return np.concatenate(counts), np.concatenate(pairs)


def _last_two_law(target: MarkovChain) -> Array:
    marginal = target.initial
    for position in range(2, HORIZON):
        marginal = marginal @ target.transition(position)
    law: Array = marginal[:, np.newaxis] * target.transition(HORIZON)
    return law


def _broken(tables: StepTables, draft: MarkovChain, target: MarkovChain) -> dict[str, StepTables]:
    """Twins of the sampler with one error each."""
    same = step_tables(target, target)
    law = np.concatenate((np.broadcast_to(target.initial, (1, NUM_STATES, NUM_STATES)), target.transitions))
    return {
        "rejections resampled from the target": tables._replace(residual=same.draft),
        "acceptance without the quotient": tables._replace(accept=law),
    }


def _convergence(counts: np.ndarray, exact: float) -> Records:
    """Tabulate the mean of the first N runs, for N on a logarithmic grid."""
    records: Records = []
    sizes = np.unique(np.geomspace(100, counts.size, 41).astype(int))
    for size in sizes:
        first = counts[:size].astype(np.float64)
        low, high = mean_interval(first, 0, HORIZON, BAND_LEVEL)
        records.append(
            {
                "runs": int(size),
                "mean": float(first.mean()),
                "low": low,
                "high": high,
                "level": BAND_LEVEL,
                "exact": exact,
                "states": NUM_STATES,
                "horizon": HORIZON,
            }
        )
    return records
