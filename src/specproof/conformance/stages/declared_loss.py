"""A rule that is declared to be lossy: how far its law is from the target's, between two confidence bounds."""

from __future__ import annotations

from specproof.conformance.evidence.distance import lower_bound, upper_bound
from specproof.conformance.report.finding import Detector, Finding, Verdict
from specproof.conformance.stages.state import Check


def excesses(check: Check, within: float) -> list[Finding]:
    """Say on which problems, and in which small batches, the total variation is certainly above what is declared."""
    seen = [(watch.law, f"on '{name}'", name) for name, watch in (check.watches | check.degenerate).items()]
    seen += [(law, f"on '{name}' in batches of {kind}", name) for (kind, name), law in check.small.evidence.items()]
    found = [(lower_bound(law.counts, law.law, check.share), where, name) for law, where, name in seen]
    return [
        Finding(
            Verdict.BIASED,
            Detector.LAW,
            name,
            f"{where} the total variation from the target is at least {bound:.3g}, above the {within:g} declared, "
            "if trials of a batch are independent",
        )
        for bound, where, name in sorted(found, key=lambda it: -it[0])
        if bound > within
    ]


def largest_bias(check: Check) -> tuple[float, str]:
    """Give the upper confidence bound on the total variation on any ordinary problem, and the problem that has it."""
    bounds = [
        (upper_bound(watch.law.counts, watch.law.law, check.share), name) for name, watch in check.watches.items()
    ]
    return max(bounds, default=(1.0, ""))
