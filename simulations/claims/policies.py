"""Four policies for one drafted token, against the algorithms enumerated, against each other, and at their best."""

from __future__ import annotations

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import dirichlet, softmax, total_variation
from specproof.theory.policies import POLICIES, best_draft_temperature
from specproof.theory.trees.rules.registry import call_law

RULES = {
    "argmax": "argmax",
    "exact_match": "exact-match",
    "ratio": "single-levels",
    "shared_noise": "gumbel-list",
}
"""The rule for trees that each policy is, of one draft and one position."""

FINE = 1e-6
"""A maximum over temperatures is found to about the square root of the rounding of its height."""


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(60, 600)}),
        Cell(CLAIM.id, "temperatures", temperatures, {"instances": settings.sized(2, 60)}),
    ]


CLAIM = Claim(
    "policies.one-token",
    "specproof.theory.policies; Daliri et al. 2025, arXiv 2408.07978, for shared noise",
    "Each policy accepts what its formula says; neither argmax nor ratio test is always best, at any temperature.",
    _cells,
    digest={"policies": ("policy", "acceptance", "best_acceptance", "best_temperature")},
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Compare the formulas with enumerated rules, and the policies with each other, on random laws."""
    rng, worst, least = context.rng, Worst(tokens="2..5"), Least(tokens="2..5")
    for index in range(instances):
        tokens = 2 + index % 4
        draft, target = dirichlet(tokens, float(rng.choice([0.3, 1.0, 3.0])), rng, 2)
        models = tuple(TabularModel([law, np.broadcast_to(law, (tokens, tokens))]) for law in (draft, target))
        found = {name: float(accepts(draft, target)) for name, accepts in POLICIES.items()}
        for name, rule in RULES.items():
            worst.see(
                f"acceptance against the rule enumerated, {name}",
                call_law(rule, models[0], models[1], 1, 1).mean - found[name],
            )
        distance = float(total_variation(draft, target))
        least.see("ratio test minus shared noise", found["ratio"] - found["shared_noise"])
        least.see("ratio test minus exact match", found["ratio"] - found["exact_match"])
        least.see("shared noise minus (1 - TV)/(1 + TV)", found["shared_noise"] - (1 - distance) / (1 + distance))
    for target in ([0.9, 0.1], [0.5, 0.5]):
        gap = float(POLICIES["ratio"]([0.6, 0.4], target) - POLICIES["argmax"]([0.6, 0.4], target))
        least.see("ratio test minus argmax, if it were never worse", gap, method=Method.CONTROL)
        least.see("argmax minus ratio test, if it were never worse", -gap, method=Method.CONTROL)
    return Findings(worst.rows() + least.rows())


def temperatures(context: CellContext, instances: int) -> Findings:
    """Find each policy's best draft temperature on positions of random logits, and compare it with a fine grid."""
    rng, least, rows = context.rng, Least(tokens=12, positions=16), Records()
    for instance in range(instances):
        logits = 2.0 * rng.standard_normal((16, 12))
        target = softmax(logits + 1.5 * rng.standard_normal((16, 12)), 0.7)
        for name, accepts in POLICIES.items():
            best = best_draft_temperature(logits, target, name)
            tried = [float(accepts(softmax(logits, t), target).mean()) for t in np.geomspace(0.03, 15.0, 101)]
            as_it_is = float(accepts(softmax(logits, 1.0), target).mean())
            least.see(f"best temperature against a grid, {name}", best.acceptance - max(tried), tolerance=FINE)
            if name != "argmax":
                quantity = f"the draft as it is, if it were best, {name}"
                least.see(quantity, as_it_is - best.acceptance, method=Method.CONTROL, tolerance=FINE)
            row = {"policy": name, "instance": instance, "acceptance": as_it_is}
            rows.append({**row, "best_acceptance": best.acceptance, "best_temperature": best.temperature})
    return Findings(least.rows(), {"policies": rows})
