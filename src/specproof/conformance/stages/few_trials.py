"""The third stage: batches of one, two, three and some more trials, as engines often run."""

from __future__ import annotations

from specproof.conformance.evidence.small_batches import KNOWN_IN, Kind, Place
from specproof.conformance.report.finding import Detector, Finding, Verdict
from specproof.conformance.stages.state import SMALL, Check


def run_small_batches(check: Check) -> list[Finding]:
    """Run small batches of two problems in turn.

    Raises
    ------
    Crash, InvalidOutput
        If the function breaks its contract.
    """
    names = [name for name in check.small_names if name in check.watches]
    check.small.run(check.subject, names, check.budget.small, check.after(SMALL), check.rng)
    return [finding for _, finding in small_alarms(check)]


def small_alarms(check: Check) -> list[tuple[Kind, Finding]]:
    """Say for each problem what is wrong in small batches, the kind that comes first, and of which kind these are."""
    small, found = check.small, []
    for name in check.small_names:
        refuted = [kind for kind, value in small.log_values(name).items() if check.is_alarm(value)]
        if refuted:
            text = f"on '{name}' {_wrong(refuted[0], small.law_of(refuted[0], name).trials)}"
            found.append((refuted[0], _finding(name, text)))
    return found or _alarms_together(check)


def _alarms_together(check: Check) -> list[tuple[Kind, Finding]]:
    """Say what known laws on all problems refute together, and on which of these it shows most."""
    for kind in KNOWN_IN:
        if check.is_alarm_together(check.small.log_value_of_known(kind, check.known_laws)):
            laws = {name: seen.law for name, seen in check.small.of_kind(kind).items()}
            wrong = _wrong(kind, sum(law.trials for law in laws.values()))
            most = max(laws, key=lambda name: laws[name].log_value)
            text = f"on all problems together {wrong}, most of all on '{most}'"
            return [(kind, _finding(most, text))]
    return []


def _wrong(kind: Kind, trials: int) -> str:
    if kind is Place.PAIR:
        return f"{kind} of small batches do not have the law of two target draws, seen in {trials:,} calls"
    if isinstance(kind, Place):
        return f"the law of {kind} of small batches is wrong, seen in {trials:,} calls"
    return f"the law is wrong in batches of {kind}, seen in {trials:,} trials"


def _finding(name: str, text: str) -> Finding:
    return Finding(Verdict.BIASED, Detector.SMALL_BATCHES, name, text)
