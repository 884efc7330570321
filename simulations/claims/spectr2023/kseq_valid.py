"""K-SEQ is lossless from rho* on."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.claims.example_pairs import named_pairs, random_pair, random_rows
from specproof.simulations.claims.sampler_tests import TESTS_PER_PAIR, control_tests, selection_tests, token_test
from specproof.simulations.claims.spectr2023 import SOURCE
from specproof.simulations.claims.worst import Worst
from specproof.simulations.evidence import Evidence, Method
from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.samplers.kseq import simulate, verify
from specproof.simulations.samplers.trials import try_in_turn
from specproof.theory.distribution import residual
from specproof.theory.verifiers.kseq.certificate import KSeqCertificate, certify_kseq
from specproof.theory.verifiers.kseq.factor import division_factor
from specproof.theory.verifiers.kseq.law import kseq, law_at
from specproof.theory.verifiers.single import maximal_coupling

DRAFT_COUNTS = (2, 4, 8)


def _cells(settings: Settings) -> list[Cell]:
    trials, tests = settings.sized(800_000, 20_000_000), TESTS_PER_PAIR * len(named_pairs())
    return [
        Cell(CLAIM.id, "exact", exact, {"instances": settings.sized(400, 20_000)}, cost=2),
        Cell(CLAIM.id, "enclosures", enclosures, {"instances": settings.sized(300, 20_000)}, cost=2),
        *(
            Cell(CLAIM.id, f"simulation-k{k}", simulation, {"num_drafts": k, "trials": trials}, tests, cost=4)
            for k in DRAFT_COUNTS
        ),
    ]


CLAIM = Claim(
    "spectr2023.kseq-valid",
    f"{SOURCE}, Algorithm 2",
    "K-SEQ emits exactly q, its residual nowhere negative, for every division factor in [rho*, k]; for a smaller one "
    "only if rho* caps no token, where none has an effect.",
    _cells,
)


def exact(context: CellContext, instances: int) -> Findings:
    """Check output law, residual and the equation of rho*, the extreme rho = k, and a broken control below rho*."""
    worst = Worst(tokens="1..40", drafts="1..16")
    batches = [random_rows(context.rng, tokens, instances) for tokens in (2, 3, 6, 15, 40)]
    for draft, target in [*named_pairs().values(), *batches]:
        pairs = draft.size // draft.shape[-1]
        for count in (1, 2, 3, 4, 8, 16):
            rho = division_factor(draft, target, count)
            factors = {"rho*": rho, "half way to k": 0.5 * (rho + count), "the extreme k": np.full_like(rho, count)}
            for where, factor in factors.items():
                law = kseq(draft, target, count, factor)
                worst.see(f"output law at rho = {where}", np.abs(law.output - target).max(), instances=pairs)
                excess = np.maximum(law.accepted - target, 0.0).max()
                worst.see(f"negative part of the residual at rho = {where}", excess, instances=pairs)
            law = kseq(draft, target, count)
            beta = np.minimum(draft, target / rho[..., np.newaxis]).sum(axis=-1)
            root = np.abs(law.acceptance - rho * beta).max(where=rho > 1.0, initial=0.0)
            worst.see("1 - (1 - beta)^k = rho beta at rho* > 1", root, instances=np.count_nonzero(rho > 1.0))
            error = np.abs(law_at(draft, target, count, 0.999 * rho).output - target).max()
            worst.see("output law at 0.999 rho*", error, instances=pairs, method=Method.CONTROL)
        one, known = kseq(draft, target, 1), maximal_coupling(draft, target)
        worst.see(
            "one draft against the maximal coupling", np.abs(one.accepted - known.accepted).max(), instances=pairs
        )
    return Findings(worst.rows())


def enclosures(context: CellContext, instances: int) -> Findings:
    """Enclose rho* in rational arithmetic, 1e-12 of it on either side, and the acceptance; look below it.

    If rho* caps a token, no smaller factor is valid, not even one that caps none. It may take more than q by less than
    float64 can tell, so that this too is decided in fractions.
    """
    worst = Worst(tokens="1..12", drafts="1..9")
    for _ in range(instances):
        draft, target = random_pair(context.rng, 12)
        count = int(context.rng.integers(1, 10))
        proof, found = certify_kseq(draft, target, count), float(kseq(draft, target, count).acceptance)
        low, high = map(float, proof.acceptance)
        outside = max(low - found, found - high, 0.0) if proof.is_proof else np.inf
        worst.see("acceptance outside its rational enclosure", outside, method=Method.CERTIFICATE)
        for share in (Fraction(999, 1000), Fraction(1, 2), Fraction(1, 100)):
            biased = _takes_too_much(proof, share * proof.low)
            if _caps(proof, proof.low):
                quantity = f"pairs without a negative residual at {float(share):g} rho*, where rho* caps a token"
                worst.see(quantity, float(not biased), method=Method.CERTIFICATE)
            elif not _caps(proof, proof.high):
                quantity = f"pairs with a negative residual at {float(share):g} rho*, where rho* caps no token"
                worst.see(quantity, float(biased), method=Method.CERTIFICATE)
        kept = 0.0 if _takes_too_much(proof, proof.high) else 1.0
        worst.see("pairs without a negative residual at rho*", kept, method=Method.CONTROL)
        missed = 0.0 if replace(proof, high=proof.low, low=proof.low * Fraction(999, 1000)).is_proof else 1.0
        worst.see("rho* enclosed, in a bracket moved below it", missed, method=Method.CONTROL)
    return Findings(worst.rows())


def _caps(proof: KSeqCertificate, rho: Fraction) -> bool:
    """Whether a factor has an effect: it accepts some token with q/(rho p), neither never nor always."""
    return any(0 < q < rho * p for p, q in zip(proof.draft, proof.target, strict=True))


def _takes_too_much(proof: KSeqCertificate, rho: Fraction) -> bool:
    """Whether some token is accepted with more than its probability in the target, exactly."""
    once = [min(p, q / rho) for p, q in zip(proof.draft, proof.target, strict=True)]
    tries = sum((1 - sum(once)) ** place for place in range(proof.num_drafts))
    return any(accepted * tries > q for accepted, q in zip(once, proof.target, strict=True))


def simulation(context: CellContext, num_drafts: int, trials: int) -> Findings:
    """Run both forms of the sampler on the named pairs, and broken controls with a wrong residual."""
    rng, level = context.rng, context.level
    rows: list[Evidence] = []
    for name, (draft, target) in named_pairs().items():
        law, rho = kseq(draft, target, num_drafts), division_factor(draft, target, num_drafts)
        emitted = simulate(draft, target, num_drafts, trials, rng, rho)
        rows += selection_tests(emitted, law, target, level, pair=name, k=num_drafts)
        few = trials // 10
        drafts, uniforms = invert(draft, rng.random((few, num_drafts))), rng.random((few, num_drafts + 1))
        emitted = verify(draft, target, drafts, uniforms, rho)
        rows.append(token_test("emitted tokens, array form", emitted, target, level, pair=name, k=num_drafts))

    draft, target = named_pairs()["zipf and uniform"]
    rho = division_factor(draft, target, num_drafts)
    accept = np.broadcast_to(np.minimum(target / (rho * draft), 1.0), (num_drafts, draft.size))
    broken_controls = {
        "rejections resampled from the target": try_in_turn(draft, accept, target, trials, rng),
        "rejections resampled from the residual of one draft": try_in_turn(
            draft, accept, residual(draft, target), trials, rng
        ),
    }
    return Findings(rows + control_tests(broken_controls, target, level, pair="zipf and uniform", k=num_drafts))
