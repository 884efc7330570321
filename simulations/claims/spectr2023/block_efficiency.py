"""Block efficiency: the tokens that one call of the target yields, from draft sequences."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import random_rows
from specproof.simulations.claims.spectr2023 import SOURCE
from specproof.simulations.claims.worst import TOLERANCE, Worst
from specproof.simulations.evidence import Evidence, Method, at_least, from_check, within
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.sequences import simulate
from specproof.simulations.statistics import check_mean, mean_interval
from specproof.theory.chain import MarkovChain, random_markov_pair, random_tabular_pair
from specproof.theory.distribution import dirichlet, total_variation
from specproof.theory.draft_length import expected_tokens
from specproof.theory.independent.sequences_by_enumeration import enumerable, sequences_by_enumeration
from specproof.theory.sequences import accepted_length_law, block_efficiency, long_run
from specproof.theory.verifiers import VERIFIERS

IN_ORDER = ("single", "kseq", "recursive")
"""Rules that try the drafts in turn: for them one more draft never makes a token's acceptance less likely, nor fewer
sequences follow it, and so by induction over the levels more sequences never yield less."""

STATES, LONGEST, MOST = 20, 8, 8
"""Size of the simulated chain, and the largest L and K."""

SIMULATED = tuple((count, length) for count in (1, 2, 4, 8) for length in (2, 4, 8))
"""The (K, L) that are simulated; the figure draws all of them."""

BAND_LEVEL = 0.01
"""Error level of each interval in the figure, which is drawn and not tested."""


def _cells(settings: Settings) -> list[Cell]:
    trials = settings.sized(25_000, 2_000_000)
    return [
        Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(18, 720)}, cost=5),
        Cell(CLAIM.id, "bounds", bounds, {"instances": settings.sized(20, 800)}, cost=5),
        Cell(CLAIM.id, "agreement", agreement, {"instances": settings.sized(1000, 50_000)}, cost=3),
        Cell(CLAIM.id, "more-drafts", more_drafts),
        Cell(CLAIM.id, "map", efficiency_map, cost=4),
        *(
            Cell(
                CLAIM.id,
                f"simulation-{name}",
                simulation,
                {"verifier": name, "trials": trials},
                tests=len(SIMULATED),
                cost=2,
            )
            for name in SAMPLERS
        ),
    ]


CLAIM = Claim(
    "spectr2023.block-efficiency",
    f"{SOURCE}, Algorithm 3 and Section 5",
    "Expected tokens per target call follow a recursion over context and sequences left, for any verifier.",
    _cells,
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Compare the recursions with all sets of draft sequences, enumerated, on small random models."""
    rng = context.rng
    worst = Worst(states="2..3", drafts="1..3", length="1..3")
    for index in range(instances):
        size, count, length = 2 + index % 2, 1 + index // 3 % 3, 1 + index % 3
        concentration = float(rng.choice([0.1, 0.5, 2.0]))
        chains = random_markov_pair(size, length + 1, rng, concentration=concentration, stationary=True)
        tables = random_tabular_pair(size, length + 1, rng, concentration=concentration)
        for name in enumerable():
            for kind, pair in (("Markov chains", chains), ("tabular models", tables)):
                draft, target = (model.tabulate() if isinstance(model, MarkovChain) else model for model in pair)
                law = np.array([block.sum() for block in sequences_by_enumeration(draft, target, count, length, name)])
                found = accepted_length_law(pair[0], pair[1], count, length, name)
                worst.see(f"law of the accepted length on {kind}, {name}", np.abs(found - law).max())
                mean = float(law @ np.arange(1, length + 2))
                efficiency = block_efficiency(pair[0], pair[1], count, length, name)
                worst.see(f"block efficiency on {kind}, {name}", mean - efficiency)
                first = float(VERIFIERS[name].law(draft.conditionals[0], target.conditionals[0], count).acceptance)
                alike = expected_tokens(first, length) - efficiency
                worst.see(f"the acceptance of the first level at all of them, {name}", alike, method=Method.CONTROL)
            worst.see(f"long run, {name}", _long_run_error(*chains, count, length, name))
    return Findings(worst.rows())


def bounds(context: CellContext, instances: int) -> Findings:
    """Check the i.i.d. formula, and that efficiency lies in [1, L + 1] and never falls with L, nor in turn with K."""
    rng = context.rng
    worst = Worst(states="2..6", drafts="1..4", length="1..6")
    gaps: dict[str, list[float]] = {}
    for _ in range(instances):
        size, concentration = int(rng.integers(2, 7)), float(rng.choice([0.1, 0.5, 2.0]))
        one, other = dirichlet(size, concentration, rng), dirichlet(size, concentration, rng)
        alike_draft, alike_target = (MarkovChain(law, np.tile(law, (size, 1)), 7) for law in (one, other))
        pair = random_markov_pair(size, 7, rng, concentration=concentration)
        acceptance = float(1.0 - total_variation(one, other))
        for name in VERIFIERS:
            formula = expected_tokens(acceptance, 6)
            worst.see(
                f"one draft, i.i.d. tokens, {name}", block_efficiency(alike_draft, alike_target, 1, 6, name) - formula
            )
            found = np.array([[block_efficiency(*pair, k, n, name) for n in range(1, 7)] for k in range(1, 5)])
            gaps.setdefault(f"efficiency above 1, {name}", []).append(float(found.min() - 1.0))
            room = float((np.arange(2, 8) - found).min())
            gaps.setdefault(f"efficiency below L + 1, {name}", []).append(room)
            gaps.setdefault(f"gain of a longer draft, {name}", []).append(float(np.diff(found, axis=1).min()))
            if name in IN_ORDER:
                gaps.setdefault(f"gain of one more draft, {name}", []).append(float(np.diff(found, axis=0).min()))
    return Findings(worst.rows() + [_smallest(quantity, seen) for quantity, seen in gaps.items()])


def agreement(context: CellContext, instances: int) -> Findings:
    """Attack what monotonicity in K rests on: for each token, P(it is accepted and j or more drafts carry it)."""
    gaps: dict[str, list[float]] = {}
    worst = Worst(tokens="2..7", drafts="1..8")
    for tokens in (2, 3, 7):
        draft, target = random_rows(context.rng, tokens, instances)
        for name in VERIFIERS:
            before = np.zeros((*draft.shape, 0))
            for count in range(1, 9):
                joint = VERIFIERS[name].agreement(draft, target, count)
                accepted = VERIFIERS[name].law(draft, target, count).accepted
                error = np.abs(joint.sum(axis=-1) - accepted).max()
                worst.see(f"numbers of carriers against acceptance, {name}", error, instances=instances)
                carriers = joint @ np.arange(1, count + 1)
                broken_control = np.abs(carriers - count * draft * accepted).max()
                worst.see(
                    f"carriers as if independent of acceptance, {name}",
                    broken_control,
                    instances=instances,
                    method=Method.CONTROL,
                )
                tails = np.cumsum(joint[..., ::-1], axis=-1)[..., ::-1]
                if name in IN_ORDER:
                    rise = (tails[..., : count - 1] - before).min(initial=np.inf)
                    gaps.setdefault(f"gain in carriers of one more draft, {name}", []).append(float(rise))
                before = tails
    return Findings(worst.rows() + [_smallest(quantity, seen) for quantity, seen in gaps.items()])


def more_drafts(_: CellContext) -> Findings:
    """Compute two chains on which the optimum of each level is not the optimum of the block, twice each.

    The rule that accepts most at one level may put its acceptance on tokens after which the drafts do worse.
    """
    thirds = _binary(0.7, 0.8, 0.6), _binary(0.9, 0.8, 0.4)
    below = _binary(0.5, 0.0, 0.5), _binary(0.5, 0.2, 1.0)
    worst, rows = Worst(states=2, length=2), []
    for pair in (thirds, below):
        for count in (2, 3):
            for name in enumerable():
                blocks = sequences_by_enumeration(pair[0].tabulate(), pair[1].tabulate(), count, 2, name)
                mean = sum(number * float(block.sum()) for number, block in enumerate(blocks, start=1))
                worst.see("recursion against enumeration", mean - block_efficiency(*pair, count, 2, name))
    loss = block_efficiency(*thirds, 2, 2, "priority") - block_efficiency(*thirds, 3, 2, "priority")
    rows.append(
        at_least("loss by a third draft, priority coupling", bound=0.003, estimate=loss, tolerance=0.0, states=2)
    )
    short = block_efficiency(*below, 3, 2, "kseq") - block_efficiency(*below, 3, 2, "priority")
    rows.append(
        at_least("K-SEQ above priority coupling, three drafts", bound=0.004, estimate=short, tolerance=0.0, states=2)
    )
    same = "loss by a third draft, K-SEQ, as large as that of priority coupling"
    gain = block_efficiency(*thirds, 2, 2, "kseq") - block_efficiency(*thirds, 3, 2, "kseq")
    rows.append(within(same, exact=loss, estimate=gain, tolerance=TOLERANCE, method=Method.CONTROL, states=2))
    return Findings(worst.rows() + rows)


def simulation(context: CellContext, verifier: str, trials: int) -> Findings:
    """Simulate blocks on a chain and compare their mean accepted length with the recursion, for a grid of K and L."""
    level = context.level
    draft, target = simulated_pair()
    rows: list[Evidence] = []
    records: Records = []
    for count, length in SIMULATED:
        exact = block_efficiency(draft, target, count, length, verifier)
        blocks = simulate(draft, target, count, length, trials, context.rng, SAMPLERS[verifier])
        tokens = blocks.accepted.astype(np.float64) + 1.0
        instance: dict[str, Any] = {"states": STATES, "verifier": verifier, "drafts": count, "length": length}
        check = check_mean(tokens, 1, length + 1, exact, level)
        rows.append(from_check("tokens per call", check, level=level, resolution=0.1 * exact, **instance))
        low, high = mean_interval(tokens, 1, length + 1, BAND_LEVEL)
        shown = {"mean": float(tokens.mean()), "low": low, "high": high, "level": BAND_LEVEL, "trials": trials}
        records.append({**instance, "label": VERIFIERS[verifier].label, "exact": exact, **shown})
    # Independent acceptances at the rate of the first level: the formula that chains do not follow.
    first = float(VERIFIERS[verifier].law(draft.initial, target.initial, count).acceptance)
    wrong = check_mean(tokens, 1, length + 1, expected_tokens(first, length), level)
    quantity = "tokens per call, the acceptance of the first level at all of them"
    rows.append(from_check(quantity, wrong, level=level, method=Method.CONTROL, **instance))
    return Findings(rows, {"simulated": records})


def efficiency_map(_: CellContext) -> Findings:
    """Tabulate the exact efficiency of the simulated chain for all K and L, from its start and in the long run.

    ``accepted`` is the share of the L levels at which a draft is accepted, (tokens per call - 1) / L.
    """
    draft, target = simulated_pair()
    records: Records = []
    for (name, rule), count, length in product(VERIFIERS.items(), range(1, MOST + 1), range(1, LONGEST + 1)):
        exact = block_efficiency(draft, target, count, length, rule)
        running = long_run(draft, target, count, length, rule).efficiency
        records.append(
            {"states": STATES, "verifier": name, "label": rule.label, "drafts": count, "length": length}
            | {"exact": exact, "accepted": (exact - 1.0) / length, "long_run": running}
        )
    return Findings(tables={"efficiency": records})


def simulated_pair() -> tuple[MarkovChain, MarkovChain]:
    """A target with spiky rows and a draft that knows half of each; the starts agree better than the rest."""
    rng = np.random.default_rng(STATES)
    initial, rows = dirichlet(STATES, 0.3, rng), dirichlet(STATES, 0.3, rng, STATES)
    noise = dirichlet(STATES, 0.3, rng, STATES)
    draft = MarkovChain(0.9 * initial + 0.1 / STATES, 0.5 * rows + 0.5 * noise, LONGEST + 1)
    return draft, MarkovChain(initial, rows, LONGEST + 1)


def _long_run_error(draft: MarkovChain, target: MarkovChain, num_drafts: int, length: int, name: str) -> float:
    """Compare with the kernel of last tokens and the means that enumeration gives, context by context."""
    found, horizon = long_run(draft, target, num_drafts, length, name), length + 1
    last, mean = np.zeros_like(target.transitions), np.zeros(target.num_states)
    for context in range(target.num_states):
        start = [MarkovChain(chain.transitions[context], chain.transitions, horizon) for chain in (draft, target)]
        blocks = sequences_by_enumeration(start[0].tabulate(), start[1].tabulate(), num_drafts, length, name)
        for number, block in enumerate(blocks, start=1):
            last[context] += block.reshape(-1, target.num_states).sum(axis=0)
            mean[context] += number * block.sum()
    still, tokens = found.contexts @ last - found.contexts, found.contexts @ mean - found.efficiency
    return float(max(np.abs(still).max(), abs(tokens)))


def _binary(start: float, after_zero: float, after_one: float) -> MarkovChain:
    """Two states; given are the probabilities of state 0."""
    rows = [[after_zero, 1.0 - after_zero], [after_one, 1.0 - after_one]]
    return MarkovChain([start, 1.0 - start], rows, 3)


def _smallest(quantity: str, seen: list[float]) -> Evidence:
    return at_least(
        f"smallest {quantity}",
        bound=0.0,
        estimate=min(seen),
        tolerance=TOLERANCE,
        trials=len(seen),
        method=Method.ATTACK,
    )
