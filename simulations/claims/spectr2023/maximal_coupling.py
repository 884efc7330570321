"""One draft: the residual rule is lossless, and a maximal coupling."""

from __future__ import annotations

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import named_pairs, random_pair
from specproof.simulations.claims.sampler_tests import TESTS_PER_PAIR, control_tests, selection_tests, token_test
from specproof.simulations.claims.spectr2023 import SOURCE
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Evidence, Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.single import simulate, verify
from specproof.simulations.samplers.trials import try_in_turn
from specproof.theory.distribution import residual, softmax, total_variation
from specproof.theory.transport import certify
from specproof.theory.verifiers.selection_law import SelectionLaw
from specproof.theory.verifiers.single import maximal_coupling


def _cells(settings: Settings) -> list[Cell]:
    trials, instances = settings.sized(2_000_000, 50_000_000), settings.sized(300, 3000)
    return [
        Cell(CLAIM.id, "exact", exact, {"instances": instances}, cost=6),
        Cell(CLAIM.id, "simulation", simulation, {"trials": trials}, TESTS_PER_PAIR * len(named_pairs()), cost=4),
    ]


CLAIM = Claim(
    "spectr2023.maximal-coupling",
    f"{SOURCE}, section 2; Leviathan et al. 2023, arXiv 2211.17192",
    "Accepting with min(1, q/p) and resampling from the residual emits exactly q and accepts with 1 - TV(p, q).",
    _cells,
    formula=r"\Pr(\text{accept})=\sum_x\min(p(x),q(x))=1-\mathrm{TV}(p,q)",
)


def exact(context: CellContext, instances: int) -> Findings:
    """Compare law and acceptance with the definition and with a rational certificate at k = 1."""
    worst = Worst(tokens="1..32")
    for draft, target in [*named_pairs().values(), *(random_pair(context.rng, 12) for _ in range(instances))]:
        law = maximal_coupling(draft, target)
        worst.see("output law", np.abs(law.output - target).max())
        worst.see("acceptance + TV - 1", law.acceptance + total_variation(draft, target) - 1.0)
        proof = certify(draft, target, 1)
        error = float(law.acceptance) - float(proof.acceptance) if proof.is_proof else np.inf
        worst.see("acceptance against the rational certificate", error, method=Method.CERTIFICATE)
        broken_control = SelectionLaw(law.accepted, target, law.acceptance)
        error = np.abs(broken_control.output - target).max()
        worst.see("output law, rejections resampled from the target", error, method=Method.CONTROL)
    return Findings(worst.rows())


def simulation(context: CellContext, trials: int) -> Findings:
    """Run both forms of the sampler on the named pairs, and broken controls with one error each."""
    rng, level = context.rng, context.level
    rows: list[Evidence] = []
    for name, (draft, target) in named_pairs().items():
        law = maximal_coupling(draft, target)
        rows += selection_tests(simulate(draft, target, trials, rng), law, target, level, pair=name)
        drafts, uniforms = invert(draft, rng.random((trials // 10, 1))), rng.random((trials // 10, 2))
        emitted = verify(draft, target, drafts, uniforms)
        rows.append(token_test("emitted tokens, array form", emitted, target, level, pair=name))

    draft, target = named_pairs()["three tokens"]
    accept = np.minimum(target / draft, 1.0)[np.newaxis]
    sharper = softmax(np.log(draft) / 0.8)
    broken_controls = {
        "rejections resampled from the target": try_in_turn(draft, accept, target, trials, rng),
        "every draft accepted": try_in_turn(draft, np.ones_like(accept), target, trials, rng),
        "drawn sharper than declared": try_in_turn(sharper, accept, residual(draft, target), trials, rng),
    }
    return Findings(rows + control_tests(broken_controls, target, level, pair="three tokens"))
