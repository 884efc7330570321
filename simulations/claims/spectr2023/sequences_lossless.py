"""Draft sequences emit the target's joint law, whatever the verifier of one level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.spectr2023 import SOURCE
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Evidence, Method, from_check
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers import SAMPLERS
from specproof.simulations.samplers.inversion import AnyArray, invert
from specproof.simulations.samplers.selection import Selection, SelectionSampler
from specproof.simulations.samplers.sequences import Survivors, agreeing, complete, simulate
from specproof.simulations.statistics import check_law
from specproof.theory.chain import MarkovChain, random_tabular_pair
from specproof.theory.independent.sequences_by_enumeration import completed, enumerable, sequences_by_enumeration

STATES, DRAFTS, LENGTH = 3, 3, 3
"""Size of the chain whose joint law is tested: blocks of up to four tokens."""

RESOLUTION = 0.01
"""A deviation of any of the 81 probabilities by this much must be within reach."""


def _cells(settings: Settings) -> list[Cell]:
    trials = settings.sized(160_000, 10_000_000)
    return [
        Cell(CLAIM.id, "enumeration", enumeration, {"instances": settings.sized(36, 720)}, cost=4),
        *(
            Cell(CLAIM.id, f"simulation-{name}", simulation, {"verifier": name, "trials": trials}, tests=1)
            for name in SAMPLERS
        ),
    ]


CLAIM = Claim(
    "spectr2023.sequences-lossless",
    f"{SOURCE}, Algorithm 3",
    "Verifying K draft sequences level by level, with those that agree with the output, emits exactly q.",
    _cells,
)


def enumeration(context: CellContext, instances: int) -> Findings:
    """Compare the joint law of a block, enumerated over all sets of drafts, with the target's."""
    worst = Worst(states="2..3", drafts="1..3", length="1..3")
    for index in range(instances):
        size, count, length = 2 + index % 2, 1 + index // 3 % 3, 1 + index % 3
        concentration = float(context.rng.choice([0.1, 0.5, 2.0]))
        draft, target = random_tabular_pair(size, length + 1, context.rng, concentration=concentration)
        for name in enumerable():
            blocks = sequences_by_enumeration(draft, target, count, length, name)
            error = np.abs(completed(blocks, target) - target.joint()).max()
            worst.see(f"joint law of block and continuation, {name}", error)
            broken_control = np.abs(completed(blocks, draft) - target.joint()).max()
            worst.see(
                f"joint law when the draft goes on in place of the target, {name}",
                broken_control,
                method=Method.CONTROL,
            )
    return Findings(worst.rows())


def simulation(context: CellContext, verifier: str, trials: int) -> Findings:
    """Test the joint law of block and continuation, and that of rules broken between the levels."""
    rules = {"": (SAMPLERS[verifier], agreeing), **_broken_controls(verifier, context.rng)}
    return Findings(joint_law_tests(tested_pair(), DRAFTS, LENGTH, verifier, rules, trials, context.rng, context.level))


def joint_law_tests(
    pair: tuple[MarkovChain, MarkovChain],
    num_drafts: int,
    length: int,
    verifier: str,
    rules: Mapping[str, tuple[SelectionSampler, Survivors]],
    trials: int,
    rng: np.random.Generator,
    level: float,
) -> list[Evidence]:
    """Test the joint law of blocks from a pair of chains; of the rules all but the one named "" are broken controls."""
    draft, target = pair
    states, law = target.num_states, target.tabulate().joint().reshape(-1)
    instance: dict[str, Any] = {"states": states, "drafts": num_drafts, "length": length, "verifier": verifier}
    rows = []
    for name, (rule, survivors) in rules.items():
        blocks = simulate(draft, target, num_drafts, length, trials, rng, rule, survivors)
        texts = complete(blocks, target, rng)
        check = check_law(np.ravel_multi_index(tuple(texts.T), (states,) * (length + 1)), law, level)
        quantity = f"joint law of block and continuation{', ' * bool(name)}{name}"
        if name:
            rows.append(from_check(quantity, check, level=level, method=Method.CONTROL, **instance))
        else:
            rows.append(from_check(quantity, check, level=level, resolution=RESOLUTION, **instance))
    return rows


def tested_pair() -> tuple[MarkovChain, MarkovChain]:
    """One, two and three drafts leave three different residuals of each row, so that no wrong one goes unseen."""
    rows = [
        np.stack([np.roll(law, state) for state in range(STATES)]) for law in ([0.7, 0.25, 0.05], [0.05, 0.5, 0.45])
    ]
    draft, target = (MarkovChain(row[0], row, LENGTH + 1) for row in rows)
    return draft, target


def _broken_controls(name: str, rng: np.random.Generator) -> Mapping[str, tuple[SelectionSampler, Survivors]]:
    rule = SAMPLERS[name]

    def from_target(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
        tokens, accepted = rule(draft, target, drafts, uniforms)
        return Selection(np.where(accepted < 0, invert(target, rng.random(tokens.shape)), tokens), accepted)

    def padded(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Selection:
        places = np.arange(DRAFTS) % drafts.shape[1]
        fresh = np.concatenate((rng.random((drafts.shape[0], DRAFTS)), uniforms[:, -1:]), axis=1)
        tokens, accepted = rule(draft, target, drafts[:, places], fresh)
        return Selection(tokens, np.where(accepted < 0, -1, places[accepted]))

    broken_controls: dict[str, tuple[SelectionSampler, Survivors]] = {
        "rejections resampled from the target": (from_target, agreeing),
    }
    if name != "single":  # which looks at the first draft alone, and that one agrees as long as the block goes on
        broken_controls["the rule for K drafts at every level, the living repeated"] = (padded, agreeing)
        broken_controls["sequences that disagree live on"] = (rule, _all_live)
    return broken_controls


def _all_live(alive: AnyArray, drafts: AnyArray, selection: Selection) -> AnyArray:
    del drafts, selection
    return alive
