"""All claims, in the order they are listed."""

from __future__ import annotations

from simulations.claims.claim import FAMILY_LEVEL, Claim, Settings
from simulations.claims.real import acceptance, rejection_martingale
from simulations.claims.spectr2023 import kseq_guarantee, kseq_valid, maximal_coupling, otm_lp
from simulations.claims.yin2024 import (
    batch_limit,
    batch_lossless,
    theorem1,
    theorem2,
    theorem3,
    theorem4,
    theorem5,
)

CLAIMS: tuple[Claim, ...] = (
    theorem1.CLAIM,
    theorem2.CLAIM,
    theorem3.CLAIM,
    batch_lossless.CLAIM,
    batch_limit.CLAIM,
    theorem4.CLAIM,
    theorem5.CLAIM,
    maximal_coupling.CLAIM,
    otm_lp.CLAIM,
    kseq_valid.CLAIM,
    kseq_guarantee.CLAIM,
    acceptance.CLAIM,
    rejection_martingale.CLAIM,
)


def share_level(settings: Settings) -> float:
    """Share the family-wise level evenly among all tests of all claims, whichever of them are run."""
    tests = sum(claim.conclusions + sum(cell.tests for cell in claim.cells(settings)) for claim in CLAIMS)
    return FAMILY_LEVEL / tests
