"""K-SEQ (Sun et al. 2023, Algorithm 2): its law, a certificate of its acceptance, and its share of the optimum."""

from __future__ import annotations

from specproof.theory.verifiers.kseq.agreement import kseq_agreement, kseq_agreement_at, kseq_given
from specproof.theory.verifiers.kseq.certificate import enclose_kseq
from specproof.theory.verifiers.kseq.guarantee import kseq_worst_share
from specproof.theory.verifiers.kseq.law import kseq
from specproof.theory.verifiers.registry import Verifier, register_verifier

register_verifier(
    Verifier(
        name="kseq",
        label="K-SEQ",
        colour="#0072B2",
        marker="o",
        law=kseq,
        agreement=kseq_agreement,
        agreement_at=kseq_agreement_at,
        given_drafts=kseq_given,
        certificate=enclose_kseq,
        guarantee=kseq_worst_share,
    )
)
