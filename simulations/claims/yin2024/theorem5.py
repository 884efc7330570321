"""Theorem 5: rejection and bias trade one for one, and nothing lies below the line."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy  # its parts load when first used

from specproof.simulations.attack import minimise
from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import named_pairs, random_rows
from specproof.simulations.claims.worst import TOLERANCE, Worst
from specproof.simulations.claims.yin2024 import SOURCE
from specproof.simulations.claims.yin2024.example_chain import BAND_LEVEL
from specproof.simulations.claims.yin2024.theorem4 import random_acceptance
from specproof.simulations.evidence import Method, at_least, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records
from specproof.simulations.samplers import relaxed
from specproof.simulations.statistics import binomial_interval, check_frequency, check_law
from specproof.theory.distribution import Array, softmax, total_variation
from specproof.theory.relaxed import decoding_opt, decoding_uno, relaxed_law
from specproof.theory.tradeoff import minimal_bias, pareto_point, relaxed_acceptance

EPSILONS = (0.0, 0.1, 0.2, 0.4, 0.8, 1.0)
SIMULATED = (0.0, 0.01, 0.03, 0.1)
"""Thresholds of the sampled rules; over 32 tokens hardly anything is rejected beyond."""

RULES = {"opt": (decoding_opt, relaxed.simulate_opt), "uno": (decoding_uno, relaxed.simulate_uno)}
"""The exact law of each rule, and its sampler."""


def _cells(settings: Settings) -> list[Cell]:
    return [
        Cell(CLAIM.id, "sweep", sweep),
        Cell(CLAIM.id, "line", line, {"instances": settings.sized(25_000, 1_000_000)}, cost=2),
        Cell(
            CLAIM.id,
            "simulation",
            simulation,
            {"trials": settings.sized(1_000_000, 20_000_000)},
            tests=2 * len(RULES) * len(SIMULATED),
        ),
        *(
            Cell(
                CLAIM.id,
                f"attack-{tokens}",
                attack,
                {"tokens": tokens, "generations": settings.sized(150, 3000)},
                cost=3,
            )
            for tokens in (2, 4)
        ),
    ]


CLAIM = Claim(
    "yin2024.theorem5",
    f"{SOURCE}, Theorem 5",
    "Rejection plus least bias is TV(p, q) for every over-acceptance: a line that OPT is on and nothing below.",
    _cells,
    formula=r"R+\min_P\mathrm{TV}(q,\,bp+RP)=\mathrm{TV}(p,q)",
)


def line(context: CellContext, instances: int) -> Findings:
    """Check the identity on random triples (p, q, b), and where Decoding-OPT and -UNO lie."""
    worst = Worst(tokens="2, 3, 6, 15")
    for tokens in (2, 3, 6, 15):
        draft, target = random_rows(context.rng, tokens, instances)
        distance = total_variation(draft, target)
        accept = random_acceptance(draft, target, context.rng)
        point = pareto_point(draft, target, accept)
        on_line = point.rejection + point.bias - distance
        worst.see("R + least bias - TV", np.abs(on_line).max(), instances=instances)
        under = ((1.0 - 0.9 * accept) * draft).sum(axis=-1) + minimal_bias(draft, target, 0.9 * accept) - distance
        worst.see("the same for b below min(1, q/p)", np.abs(under).max(), instances=instances, method=Method.CONTROL)
        for epsilon in EPSILONS:
            opt, uno = decoding_opt(draft, target, epsilon), decoding_uno(draft, target, epsilon)
            off = np.abs(opt.rejection + opt.bias - distance).max()
            worst.see("Decoding-OPT off the line", off, instances=instances)
            below = np.maximum(distance - uno.rejection - uno.bias, 0.0).max()
            worst.see("Decoding-UNO below the line", below, instances=instances)
            gap = np.abs(uno.bias - opt.bias - _uno_gap(draft, target, epsilon)).max()
            worst.see("gap between UNO and OPT, against its closed form", gap, instances=instances)
            worst.see("gap between UNO and OPT", (uno.bias - opt.bias).max(), method=Method.CONTROL)
    return Findings(worst.rows())


def sweep(_: CellContext) -> Findings:
    """Tabulate Decoding-OPT and -UNO over the threshold, on one pair, for the figure."""
    draft, target = named_pairs()["dirichlet"]
    distance = float(total_variation(draft, target))
    records: Records = []
    for epsilon in np.concatenate(([0.0], np.geomspace(1e-3, 1.0, 60))):
        for rule, decoding in (("opt", decoding_opt), ("uno", decoding_uno)):
            law = decoding(draft, target, epsilon)
            point = {"rejection": float(law.rejection), "bias": float(law.bias)}
            records.append({"rule": rule, "epsilon": float(epsilon), **point, "tv": distance, "tokens": draft.size})
    return Findings(tables={"sweep": records})


def simulation(context: CellContext, trials: int) -> Findings:
    """Test the samplers of both rules against their exact laws, and each where they differ against the other's."""
    level = context.level
    draft, target = named_pairs()["dirichlet"]
    rows, records = [], []
    for epsilon in SIMULATED:
        laws = {rule: exact(draft, target, epsilon) for rule, (exact, _) in RULES.items()}
        for rule, other in (("opt", "uno"), ("uno", "opt")):
            found, law = RULES[rule][1](draft, target, epsilon, trials, context.rng), laws[rule]
            rejected = int(np.count_nonzero(found.accepted < 0))
            shared: dict[str, Any] = {"level": level, "rule": rule, "epsilon": epsilon, "tokens": draft.size}
            frequency = check_frequency(rejected, trials, float(law.rejection), level)
            output = check_law(found.tokens, law.output, level)
            rows.append(from_check("frequency of rejections", frequency, resolution=0.01, **shared))
            rows.append(from_check("law of the emitted token", output, resolution=0.01, **shared))
            if epsilon == 0.0:
                crossed = check_law(found.tokens, laws[other].output, level)
                quantity = "law of the emitted token, against the other rule's"
                rows.append(from_check(quantity, crossed, method=Method.CONTROL, **shared))
            low, high = binomial_interval(rejected, trials, BAND_LEVEL)
            seen = {"rejection": rejected / trials, "low": low, "high": high, "level": BAND_LEVEL, "trials": trials}
            records.append({"rule": rule, "epsilon": epsilon, "bias": float(law.bias), **seen})
    return Findings(rows, {"simulated": records})


def attack(context: CellContext, tokens: int, generations: int) -> Findings:
    """Search laws p, q, acceptances b and resampling laws P for a point below the line, by differential evolution."""
    found = minimise(_above_line, -8.0, 8.0, 4 * tokens, generations, context.rng)
    draft, target, accept, resampling = (part.tolist() for part in _parts(found.point[:, np.newaxis]))
    rule = {"draft": draft[0], "target": target[0], "accept": accept[0], "resampling": resampling[0]}
    quantity = "least of R + bias - TV over all rules"
    return Findings(
        [
            at_least(
                quantity,
                bound=0.0,
                estimate=found.value,
                tolerance=TOLERANCE,
                trials=found.evaluations,
                method=Method.ATTACK,
                **rule,
            ),
            # A search that cannot come near the line would not have found what lies below it.
            at_least(
                quantity,
                bound=0.01,
                estimate=found.value,
                tolerance=0.0,
                trials=found.evaluations,
                method=Method.CONTROL,
                **rule,
            ),
        ]
    )


def _uno_gap(draft: Array, target: Array, epsilon: float) -> Array:
    r"""What resampling from q costs beyond the least bias: :math:`\sum_x \min(R q, [bp - (1-R) q]_+)`.

    It is the excess of bp + R q over q beyond that of bp alone. So it is 0 exactly if nothing is rejected, or
    bp <= (1 - R) q at every token that the target can emit.
    """
    accepted = relaxed_acceptance(draft, target, epsilon) * draft
    rejection = np.maximum(draft - accepted, 0.0).sum(axis=-1, keepdims=True)
    room = np.maximum(accepted - (1.0 - rejection) * target, 0.0)
    gap: Array = np.minimum(rejection * target, room).sum(axis=-1)
    return gap


def _parts(logits: Array) -> tuple[Array, Array, Array, Array]:
    """Split a population, shape (4 V, members), into draft, target, acceptance and resampling law."""
    draft, target, accept, resampling = np.split(logits.T, 4, axis=-1)
    return softmax(draft), softmax(target), scipy.special.expit(2.0 * accept), softmax(resampling)


def _above_line(logits: Array) -> Array:
    draft, target, accept, resampling = _parts(logits)
    law = relaxed_law(draft, target, accept, resampling)
    height: Array = law.rejection + law.bias - total_variation(draft, target)
    return height
