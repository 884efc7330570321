"""The priority coupling emits exactly q."""

from __future__ import annotations

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import named_pairs
from specproof.simulations.claims.priority import SOURCE
from specproof.simulations.claims.priority.hard_pairs import adversarial_pair, llm_shaped_pair, spread_pair
from specproof.simulations.claims.sampler_tests import TESTS_PER_PAIR, control_tests, selection_tests, token_test
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Evidence, Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.priority import PrioritySampler, verify
from specproof.theory.verifiers.priority import PriorityCoupling

DRAFT_COUNTS = (2, 4, 8)

ANY_DRAFT_COUNT = (1, 2, 3, 4, 5, 8, 16, 33, 64)

MANY_DRAFTS = (100, 158, 200, 1000, 10_000)

ANYTHING = 1e-9
"""Error in L1 promised for every pair of float64 laws. The rates are cut down to q after the tiling, so that what is
left is the rounding of some hundred sums of positive terms."""


SPLIT = (np.array([0.25, 0.5, 0.25]), np.array([0.15, 0.3, 0.55]))
"""A token's set lies on both sides of another's, so that it matters where in its set a priority is."""


def _cells(settings: Settings) -> list[Cell]:
    trials, tests = settings.sized(800_000, 20_000_000), TESTS_PER_PAIR * len(named_pairs())
    batches = range(settings.sized(1, 10))
    return [
        *(
            Cell(CLAIM.id, f"exact-{batch}", exact, {"instances": settings.sized(8000, 10_000)}, cost=11)
            for batch in batches
        ),
        Cell(CLAIM.id, "many-drafts", many_drafts, {"instances": settings.sized(100, 1000)}),
        Cell(CLAIM.id, "large", large, {"tokens": settings.sized(152_064, 262_144)}, cost=2),
        *(
            Cell(CLAIM.id, f"simulation-k{k}", simulation, {"num_drafts": k, "trials": trials}, tests, cost=5)
            for k in DRAFT_COUNTS
        ),
    ]


CLAIM = Claim(
    "priority.lossless",
    SOURCE,
    "The priority coupling emits exactly q on every pair of float64 laws, up to rounding of order k eps, "
    f"seen for up to {max(MANY_DRAFTS):,} drafts.",
    _cells,
)


def exact(context: CellContext, instances: int) -> Findings:
    """Compute the law anew from the intervals, on pairs made to break it; no pair is refused."""
    worst = Worst(tokens="1..60", drafts=", ".join(map(str, ANY_DRAFT_COUNT)))
    for _ in range(instances):
        draft, target = adversarial_pair(context.rng, 60)
        _see_law(worst, PriorityCoupling(draft, target, int(context.rng.choice(ANY_DRAFT_COUNT))), ANYTHING)
    return Findings(worst.rows())


def many_drafts(context: CellContext, instances: int) -> Findings:
    """Do the same for numbers of drafts far beyond any use, on few tokens."""
    worst = Worst(tokens="2..5", drafts=", ".join(map(str, MANY_DRAFTS)))
    for count in MANY_DRAFTS:
        for _ in range(instances):
            _see_law(worst, PriorityCoupling(*spread_pair(context.rng, count), count), ANYTHING)
    return Findings(worst.rows())


def large(context: CellContext, tokens: int) -> Findings:
    """Do the same at the vocabulary size of language models, to the last digits."""
    worst = Worst(tokens=tokens, drafts="1, 2, 8, 64")
    for count in (1, 2, 8, 64):
        _see_law(worst, PriorityCoupling(*llm_shaped_pair(context.rng, tokens), count), 1e-12)
    return Findings(worst.rows())


def _see_law(worst: Worst, coupling: PriorityCoupling, tolerance: float) -> None:
    law = coupling.law()
    worst.see("output law, in L1", np.abs(law.output - coupling.target).sum(), tolerance=tolerance)
    excess = np.maximum(law.accepted - coupling.target, 0.0).sum()
    worst.see("negative part of the residual, in L1", excess, tolerance=tolerance)
    carriers = coupling.agreement().sum(axis=-1)
    worst.see("sum over the numbers of carriers, in L1", np.abs(carriers - law.accepted).sum(), tolerance=tolerance)
    unthinned = coupling.intervals.winner_law(coupling.draft.size, coupling.num_drafts)[0]
    error = np.abs(unthinned + (1.0 - unthinned.sum()) * coupling.residual - coupling.target).sum()
    worst.see("output law without thinning, in L1", error, tolerance=tolerance, method=Method.CONTROL)


def simulation(context: CellContext, num_drafts: int, trials: int) -> Findings:
    """Run the rule and its array form on the named pairs, and broken controls that each drop one assumption."""
    rng, level = context.rng, context.level
    rows: list[Evidence] = []
    for name, (draft, target) in named_pairs().items():
        coupling = PriorityCoupling(draft, target, num_drafts)
        emitted = PrioritySampler(coupling).select(invert(draft, rng.random((trials, num_drafts))), rng)
        rows += selection_tests(emitted, coupling.law(), target, level, pair=name, k=num_drafts)
        few = trials // 10
        drafts, uniforms = invert(draft, rng.random((few, num_drafts))), rng.random((few, num_drafts + 1))
        emitted = verify(draft, target, drafts, uniforms)
        rows.append(token_test("emitted tokens, array form", emitted, target, level, pair=name, k=num_drafts))
    return Findings(rows + _unthinned(num_drafts, trials, rng, level) + _crowded(num_drafts, trials, rng, level))


def _unthinned(num_drafts: int, trials: int, rng: np.random.Generator, level: float) -> list[Evidence]:
    draft, target = named_pairs()["dirichlet"]
    coupling = PriorityCoupling(draft, target, num_drafts)
    coupling.thinning = np.ones_like(coupling.thinning)
    broken_control = PrioritySampler(coupling).select(invert(draft, rng.random((trials, num_drafts))), rng)
    return control_tests({"winner never thinned": broken_control}, target, level, pair="dirichlet", k=num_drafts)


def _crowded(num_drafts: int, trials: int, rng: np.random.Generator, level: float) -> list[Evidence]:
    draft, target = SPLIT
    drafts, uniforms = invert(draft, rng.random((trials, num_drafts))), rng.random((trials, num_drafts + 1))
    uniforms[:, :-1] **= 4
    broken_control = PrioritySampler(PriorityCoupling(draft, target, num_drafts)).choose(drafts, uniforms)
    return control_tests(
        {"priorities not uniform on a token's set": broken_control}, target, level, pair="split", k=num_drafts
    )
