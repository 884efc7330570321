"""Theorem 3: expected rejections when M fresh drafts are tried after each rejection."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.worst import Worst
from specproof.simulations.claims.yin2024 import SOURCE
from specproof.simulations.claims.yin2024.example_chain import (
    BAND_LEVEL,
    HORIZON,
    convergence,
    instance,
    observe,
    simulated_pair,
)
from specproof.simulations.evidence import Method, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.samplers import recursive
from specproof.simulations.samplers.batch import batch_tables, simulate_tables
from specproof.simulations.statistics import binomial_interval, check_mean, mean_interval
from specproof.theory.chain import TabularModel, random_markov_pair, random_tabular_pair
from specproof.theory.distribution import Array, bernoulli, total_variation, uniform
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration
from specproof.theory.rejections import batch_limit, expected_rejections, expected_rejections_batch
from specproof.theory.rejections.batch import expected_rejections_leaving
from specproof.theory.verifiers.recursive import recursive_rejection, residual_weights

DRAFT_COUNTS = (4, 5)
"""The numbers of drafts in the paper's simulation."""

SHOWN_COUNTS = (1, 2, 3, 5, 8, 12, 20, 30)
"""Numbers of drafts whose means are simulated for the figures, beside what is exact, up to the most that each shows."""


def _cells(settings: Settings) -> list[Cell]:
    runs = settings.sized(250_000, 20_000_000)
    return [
        Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(150, 3000)}, cost=3),
        Cell(CLAIM.id, "against-drafts", against_drafts, {"runs": settings.sized(10_000, 1_000_000)}),
        Cell(CLAIM.id, "improvement", improvement, {"trials": settings.sized(10_000, 1_000_000)}),
        *(
            Cell(CLAIM.id, f"chain-m{count}", simulation, {"num_drafts": count, "runs": runs}, tests=1)
            for count in DRAFT_COUNTS
        ),
    ]


CLAIM = Claim(
    "yin2024.theorem3",
    f"{SOURCE}, Theorem 3",
    "With M fresh drafts after each rejection expected rejections follow the recursion on f; M = 1 is Theorem 1.",
    _cells,
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Compare the recursion with the algorithm enumerated branch by branch, on small random models."""
    rng = context.rng
    worst = Worst(states="1..4", horizon="1..5", drafts="1..5")
    for _ in range(instances):
        size, horizon, count = int(rng.integers(1, 5)), int(rng.integers(1, 6)), int(rng.integers(1, 6))
        concentration = float(rng.choice([0.1, 0.5, 2.0]))
        draft, target = random_markov_pair(
            size, horizon, rng, concentration=concentration, stationary=bool(rng.integers(2))
        )
        mean = _enumerated(draft.tabulate(), target.tabulate(), count)
        worst.see(
            "recursion on Markov chains, against enumeration", mean - expected_rejections_batch(draft, target, count)
        )
        one = expected_rejections_batch(draft, target, 1) - expected_rejections(draft, target)
        worst.see("M = 1 against Theorem 1", one)
        alone = mean - expected_rejections(draft, target)
        worst.see("Theorem 1 in place of Theorem 3", alone, method=Method.CONTROL)
        broken_control = expected_rejections_leaving(draft, target, partial(_as_target, num_drafts=count))
        worst.see("recursion with q in place of the batch's residual", mean - broken_control, method=Method.CONTROL)
        tables = random_tabular_pair(size, horizon, rng, concentration=concentration)
        error = _enumerated(*tables, count) - expected_rejections_batch(*tables, count)
        worst.see("recursion on tabular models, against enumeration", error)
    return Findings(worst.rows())


def simulation(context: CellContext, num_drafts: int, runs: int) -> Findings:
    """Simulate the non-stationary chain."""
    level = context.level
    draft, target = simulated_pair()
    exact = expected_rejections_batch(draft, target, num_drafts)
    tables = batch_tables(draft, target, num_drafts)
    counts, _ = observe(lambda n: simulate_tables(tables, HORIZON, n, context.rng), runs)
    mean = check_mean(counts, 0, HORIZON, exact, level)
    shared: dict[str, Any] = {**instance(), "drafts": num_drafts}
    wrong = check_mean(counts, 0, HORIZON, expected_rejections(draft, target), level)
    quantity = "mean number of rejections"
    rows = [
        from_check(quantity, mean, level=level, resolution=0.01 * exact, **shared),
        from_check(f"{quantity}, against Theorem 1", wrong, level=level, method=Method.CONTROL, **shared),
    ]
    records: Records = [{**record, "drafts": num_drafts} for record in convergence(counts, exact)]
    return Findings(rows, {"convergence": records})


def against_drafts(context: CellContext, runs: int) -> Findings:
    """Tabulate expected rejections against the number of drafts, with the limit and means of runs, for the figure."""
    draft, target = simulated_pair()
    limit = batch_limit(draft, target)
    records: Records = [
        {"drafts": count, "exact": expected_rejections_batch(draft, target, count), "limit": limit, **instance()}
        for count in range(1, 31)
    ]
    simulated: Records = []
    for count in SHOWN_COUNTS:
        tables = batch_tables(draft, target, count)
        counts, _ = observe(partial(simulate_tables, tables, HORIZON, rng=context.rng), runs)
        low, high = mean_interval(counts, 0, HORIZON, BAND_LEVEL)
        shown = {"mean": float(counts.mean()), "low": low, "high": high, "level": BAND_LEVEL, "runs": runs}
        simulated.append({"drafts": count, **shown, **instance()})
    return Findings(tables={"against_drafts": records, "against_drafts_simulated": simulated})


def improvement(context: CellContext, trials: int) -> Findings:
    r"""Check the closed forms of what a batch saves at one position, :math:`TV - \prod_{m \le M} TV(q^m, p)`.

    Bernoulli: after one failure only success is left, so with success a < b it is (b - a)(1 - (1 - a)^(M - 1)).
    Uniform on d tokens against uniform on d/r of them: the residual is the target again, so it is s - s^M, s = 1 - 1/r.
    """
    worst, records, simulated = Worst(drafts="1..20"), [], []
    closed: dict[str, tuple[Array, Array, Callable[[int], float]]] = {}
    for low, high in ((0.1, 0.5), (0.3, 0.9), (0.5, 0.9)):
        saved = partial(_bernoulli_saving, low, high)
        closed[f"Bernoulli {low:g}, {high:g}"] = (bernoulli(low), bernoulli(high), saved)
    for ratio in (2, 5, 10):
        pair = uniform(100), uniform(100, 100 // ratio)
        closed[f"uniform, r = {ratio}"] = (*pair, partial(_uniform_saving, 1.0 - 1.0 / ratio))
    for name, (draft, target, saving) in closed.items():
        for count in range(1, 21):
            found = float(total_variation(draft, target) - 1.0 + recursive_rejection(draft, target, count).acceptance)
            worst.see("saving of a batch against its closed form", found - saving(count))
            records.append({"pair": name, "drafts": count, "saving": found, "closed_form": saving(count)})
        for count in SHOWN_COUNTS[:-1]:
            seen = _simulated_saving(draft, target, count, trials, context.rng)
            simulated.append({"pair": name, "drafts": count, **seen, "level": BAND_LEVEL, "trials": trials})
    return Findings(worst.rows(), {"improvement": records, "improvement_simulated": simulated})


def _simulated_saving(
    draft: Array, target: Array, num_drafts: int, trials: int, rng: np.random.Generator
) -> dict[str, float]:
    """Take the frequency of failing batches, and the ends of its interval, from TV."""
    distance = float(total_variation(draft, target))
    failed = int(np.count_nonzero(recursive.simulate(draft, target, num_drafts, trials, rng).accepted < 0))
    low, high = binomial_interval(failed, trials, BAND_LEVEL)
    return {"saving": distance - failed / trials, "low": distance - high, "high": distance - low}


def _bernoulli_saving(low: float, high: float, num_drafts: int) -> float:
    return (high - low) * (1.0 - (1.0 - low) ** (num_drafts - 1))


def _uniform_saving(missing: float, num_drafts: int) -> float:
    return missing - missing**num_drafts


def _as_target(draft: Array, target: Array, num_drafts: int) -> Array:
    """Return what would be left if failures were as likely as they are and resampled from the target."""
    left: Array = residual_weights(draft, target, num_drafts).sum(axis=-1, keepdims=True) * target
    return left


def _enumerated(draft: TabularModel, target: TabularModel, num_drafts: int) -> float:
    law = runs_by_enumeration(draft, target, num_drafts).rejections
    return float(law @ np.arange(law.size))
