"""Theorem 1: expected rejections over a horizon."""

from __future__ import annotations

from functools import partial

import numpy as np

from simulations.claims.claim import Claim, Settings
from simulations.claims.worst import Worst
from simulations.claims.yin2024 import SOURCE
from simulations.claims.yin2024.chain import HORIZON, convergence, instance, last_two_law, observe, simulated_pair
from simulations.evidence import Method, from_check
from simulations.experiments.cell import Cell, Findings
from simulations.samplers.rejections import StepTables, simulate_tables, step_tables
from simulations.statistics import check_law, check_mean
from theory.chain import MarkovChain, random_markov_pair, random_tabular_pair
from theory.enumeration import enumerate_speculation
from theory.rejections import expected_rejections, rejection_law


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(60, 600)}, cost=2),
        Cell(CLAIM.id, "chain", chain, {"runs": settings.sized(1_000_000, 20_000_000)}, tests=3, cost=8),
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
    exact, texts = expected_rejections(draft, target), last_two_law(target)
    tables = step_tables(draft, target)
    counts, pairs = observe(lambda n: simulate_tables(tables, HORIZON, n, rng), runs)
    shared = {"level": level, **instance()}
    control = {"method": Method.CONTROL, **shared}
    mean, law = check_mean(counts, 0, HORIZON, exact, level), rejection_law(draft, target)
    wrong = check_mean(counts, 0, HORIZON, expected_rejections(target, draft), level)
    rows = [
        from_check("mean number of rejections", mean, resolution=0.01 * exact, **shared),
        from_check(
            "law of the number of rejections", check_law(counts.astype(int), law, level), resolution=0.01, **shared
        ),
        from_check("law of the last two tokens", check_law(pairs, texts, level), resolution=0.01, **shared),
        from_check("mean, prefixes weighted by the draft", wrong, **control),
    ]
    for name, broken in _broken(tables, target).items():
        _, pairs = observe(partial(simulate_tables, broken, HORIZON, rng=rng), runs // 10)
        rows.append(from_check(f"last two tokens, {name}", check_law(pairs, texts, level), **control))
    return Findings(rows, {"convergence": convergence(counts, exact)})


def _broken(tables: StepTables, target: MarkovChain) -> dict[str, StepTables]:
    """Twins of the sampler with one error each."""
    size = target.num_states
    law = np.concatenate((np.broadcast_to(target.initial, (1, size, size)), target.transitions))
    return {
        "rejections resampled from the target": tables._replace(residual=step_tables(target, target).draft),
        "acceptance without the quotient": tables._replace(accept=law),
    }
