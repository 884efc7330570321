"""Block verification along a text of the target: reach weights and calls, against the algorithm enumerated."""

from __future__ import annotations

from functools import partial

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.texts.priced_rules import priced_rules, texts_of
from specproof.simulations.claims.texts.reach_weights import compare
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.theory.chain import random_tabular_pair
from specproof.theory.independent.calls_by_enumeration import calls_by_enumeration
from specproof.theory.texts import expected_calls

RULE, OTHER = "block verification", "one draft, token by token"


def _cells(settings: Settings) -> list[Cell]:
    return [Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(24, 240)}, cost=2)]


CLAIM = Claim(
    "block.text",
    "Sun et al. 2024, arXiv 2403.10444, Algorithm 2, along texts: specproof.theory.texts",
    "A text of the target alone prices block verification: what is accepted at each place, and the calls it takes.",
    _cells,
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Compare weights and calls of all texts of random models of the whole history with enumerated calls."""
    rng, worst = context.rng, Worst(states="2..3", tokens=3, length="1..3")
    rules = priced_rules(2)
    for index in range(instances):
        size, length, tokens = 2 + index % 2, 1 + index // 2 % 3, 3
        concentration = float(rng.choice([0.3, 1.0, 3.0]))
        compare(
            worst,
            RULE,
            rules[RULE],
            random_tabular_pair(size, length + 1, rng, concentration=concentration),
            length,
            with_control=True,
        )
        pair = random_tabular_pair(2, tokens + length, rng, concentration=concentration)
        texts = texts_of(*pair, tokens)
        made = calls_by_enumeration(*pair, tokens, partial(rules[RULE].call, length=length))
        chance = texts.probability(texts.target)
        for name, method in ((RULE, Method.IDENTITY), (OTHER, Method.CONTROL)):
            found = np.array([expected_calls(weights) for weights in rules[name].reach(texts, length)])
            error = np.abs(made.calls[tuple(texts.tokens.T)] - chance * found).max()
            worst.see(f"calls of each text, by the weights of {name}", error, method=method)
    return Findings(worst.rows())
