"""All claims, in the order they are listed."""

from __future__ import annotations

from specproof.simulations.claims import policies, relaxation, truncation
from specproof.simulations.claims.claim import Claim
from specproof.simulations.claims.priority import gain, joint, optimal, orders, tiling
from specproof.simulations.claims.priority import lossless as priority_lossless
from specproof.simulations.claims.real import acceptance, block_efficiency, rejection_martingale, tree_calls
from specproof.simulations.claims.recursive import lossless
from specproof.simulations.claims.spectr2023 import block_efficiency as sequence_efficiency
from specproof.simulations.claims.spectr2023 import (
    concavity,
    kseq_guarantee,
    kseq_valid,
    maximal_coupling,
    otm_lp,
    sequences_lossless,
    subset_formula,
    uniform_example,
)
from specproof.simulations.claims.texts import block_lossless, block_text, calls, marginal_products, reach_weights
from specproof.simulations.claims.trees import (
    block_optimal,
    certain_optimum,
    judge,
    layer_ends,
    layer_lossless,
    yardstick,
)
from specproof.simulations.claims.trees import lossless as tree_lossless
from specproof.simulations.claims.yin2024 import (
    batch_limit,
    batch_lossless,
    opt_uno,
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
    opt_uno.CLAIM,
    maximal_coupling.CLAIM,
    otm_lp.CLAIM,
    subset_formula.CLAIM,
    concavity.CLAIM,
    uniform_example.CLAIM,
    kseq_valid.CLAIM,
    kseq_guarantee.CLAIM,
    sequences_lossless.CLAIM,
    sequence_efficiency.CLAIM,
    lossless.CLAIM,
    priority_lossless.CLAIM,
    optimal.CLAIM,
    tiling.CLAIM,
    joint.CLAIM,
    orders.CLAIM,
    gain.CLAIM,
    block_lossless.CLAIM,
    block_optimal.CLAIM,
    block_text.CLAIM,
    reach_weights.CLAIM,
    calls.CLAIM,
    marginal_products.CLAIM,
    yardstick.CLAIM,
    layer_lossless.CLAIM,
    layer_ends.CLAIM,
    *tree_lossless.CLAIMS,
    judge.CLAIM,
    certain_optimum.CLAIM,
    policies.CLAIM,
    truncation.CLAIM,
    relaxation.CLAIM,
    acceptance.CLAIM,
    rejection_martingale.CLAIM,
    block_efficiency.CLAIM,
    tree_calls.CLAIM,
)
