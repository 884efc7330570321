"""Theorem 1: expected rejections over a horizon."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.worst import Worst
from specproof.simulations.claims.yin2024 import SOURCE
from specproof.simulations.claims.yin2024.example_chain import (
    HORIZON,
    convergence,
    instance,
    last_two_law,
    observe,
    simulated_pair,
)
from specproof.simulations.evidence import Method, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers.rejections import (
    StepTables,
    paired_steps,
    simulate_histories,
    simulate_tables,
    step_tables,
)
from specproof.simulations.samplers.relaxed import uno_sampler
from specproof.simulations.statistics import check_law, check_mean
from specproof.theory.chain import MarkovChain, random_markov_pair, random_tabular_pair
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration
from specproof.theory.rejections import expected_rejections, rejection_law

SMALL = 3
"""Tokens of the models that look at the whole history, which are one position longer."""


def _cells(settings: Settings) -> list[Cell]:
    runs, of_history = (settings.sized(quick, 20_000_000) for quick in (300_000, 1_000_000))
    return [
        Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(60, 600)}, cost=2),
        *(
            Cell(CLAIM.id, name, chain, {"runs": runs, "stationary": stationary}, tests=3, cost=2)
            for name, stationary in (("chain", False), ("stationary-chain", True))
        ),
        Cell(CLAIM.id, "history", history, {"runs": of_history}, tests=3),
    ]


CLAIM = Claim(
    "yin2024.theorem1",
    f"{SOURCE}, Theorem 1",
    "Expected rejections over a horizon are the sum of the total variation distances, prefixes weighted by the target.",
    _cells,
    formula=r"\mathbb{E}[N]=\sum_{n=1}^{T}\mathbb{E}_{x\sim q}\,\mathrm{TV}\bigl(p_n(\cdot\mid x_{<n}),"
    r"\,q_n(\cdot\mid x_{<n})\bigr)",
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Compare the recursions with the algorithm enumerated branch by branch, on small random models."""
    rng = context.rng
    worst = Worst(states="1..4", horizon="1..5")
    for _ in range(instances):
        size, horizon = int(rng.integers(1, 5)), int(rng.integers(1, 6))
        concentration = float(rng.choice([0.1, 0.5, 2.0]))
        stationary = bool(rng.integers(2))
        draft, target = random_markov_pair(size, horizon, rng, concentration=concentration, stationary=stationary)
        run = runs_by_enumeration(draft.tabulate(), target.tabulate())
        mean = run.rejections @ np.arange(horizon + 1)
        kind = "stationary" if stationary else "non-stationary"
        worst.see(f"recursion on {kind} chains, against enumeration", mean - expected_rejections(draft, target))
        worst.see("law of the number of rejections", np.abs(run.rejections - rejection_law(draft, target)).max())
        worst.see("enumerated output law", np.abs(run.output - target.tabulate().joint()).max())
        swapped = mean - expected_rejections(target, draft)
        worst.see("prefixes weighted by the draft instead", swapped, method=Method.CONTROL)

        draft_table, target_table = random_tabular_pair(size, horizon, rng, concentration=concentration)
        run = runs_by_enumeration(draft_table, target_table)
        mean = run.rejections @ np.arange(horizon + 1)
        worst.see("sum over histories, against enumeration", mean - expected_rejections(draft_table, target_table))
        worst.see("enumerated output law", np.abs(run.output - target_table.joint()).max())
    return Findings(worst.rows())


def chain(context: CellContext, runs: int, stationary: bool) -> Findings:
    """Simulate a pair of chains, and broken controls of the sampler."""
    level = context.level
    draft, target = simulated_pair(stationary)
    exact, texts = expected_rejections(draft, target), last_two_law(target)
    tables = step_tables(draft, target)
    counts, pairs = observe(lambda n: simulate_tables(tables, HORIZON, n, context.rng), runs)
    shared = {"level": level, **instance(), "stationary": stationary}
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
        _, pairs = observe(partial(simulate_tables, broken, HORIZON, rng=context.rng), runs // 10)
        rows.append(from_check(f"last two tokens, {name}", check_law(pairs, texts, level), **control))
    # The figure shows the chain that changes with time.
    return Findings(rows, {} if stationary else {"convergence": convergence(counts, exact)})


def history(context: CellContext, runs: int) -> Findings:
    """Simulate a pair of models that look at the whole history, and a broken control of the rule."""
    level = context.level
    draft, target = random_tabular_pair(SMALL, SMALL + 1, np.random.default_rng(SMALL))
    shared: dict[str, Any] = {"level": level, "states": SMALL, "horizon": target.horizon, "history": "whole"}
    control = {"method": Method.CONTROL, **shared}
    joint, exact = target.joint(), expected_rejections(draft, target)

    def number(tokens: NDArray[np.int64]) -> NDArray[np.int64]:
        numbers: NDArray[np.int64] = np.ravel_multi_index(tuple(tokens.T), joint.shape)
        return numbers

    counts, texts = observe(lambda n: simulate_histories(draft, target, n, context.rng), runs, number)
    mean = check_mean(counts, 0, target.horizon, exact, level)
    wrong = check_mean(counts, 0, target.horizon, expected_rejections(target, draft), level)
    rejections = check_law(counts.astype(int), runs_by_enumeration(draft, target).rejections, level)
    law = check_law(texts, joint.reshape(-1), level)
    _, broken = observe(
        lambda n: simulate_histories(draft, target, n, context.rng, uno_sampler(0.0)), runs // 10, number
    )
    broken_control = check_law(broken, joint.reshape(-1), level)
    return Findings(
        [
            from_check("mean number of rejections", mean, resolution=0.01 * exact, **shared),
            from_check("law of the number of rejections", rejections, resolution=0.01, **shared),
            from_check("joint law of all tokens", law, resolution=0.01, **shared),
            from_check("mean, prefixes weighted by the draft", wrong, **control),
            from_check("joint law of all tokens, rejections resampled from the target", broken_control, **control),
        ]
    )


def _broken(tables: StepTables, target: MarkovChain) -> dict[str, StepTables]:
    """Broken controls of the sampler with one error each."""
    return {
        "rejections resampled from the target": tables._replace(residual=step_tables(target, target).draft),
        "acceptance without the quotient": tables._replace(accept=paired_steps(target, target)[1]),
    }
