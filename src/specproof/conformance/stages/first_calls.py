"""The first stage: whether the function can be called at all, and on which problems."""

from __future__ import annotations

import time
from collections import defaultdict

from specproof.conformance.evidence.sampling import sample
from specproof.conformance.evidence.watch import Watch
from specproof.conformance.stages.state import ROUNDS, Check
from specproof.conformance.subject.failures import Crash, Hang, Refusal, asked


def call_every_problem(check: Check) -> None:
    """Run one to three trials of every problem; those that the function refuses are left out.

    Raises
    ------
    Crash, InvalidOutput
        If the function breaks its contract.
    """
    reasons: dict[str, str] = {}
    overlooked: set[str] = set()
    for index, (name, watch) in enumerate(check.watches.items()):
        if time.monotonic() > check.after(ROUNDS):
            break
        kind, overlooking = watch.problem.unusual, watch.problem.overlooking
        with asked(name):
            reasons[name] = overlooking if kind in overlooked else why_left_out(check, watch, 1 + index % 3)
        if index == 0:  # which may have compiled
            check.start = time.monotonic()
        if reasons[name] and reasons[name] == overlooking:
            overlooked.add(kind)
    left_out: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, watch in list(check.watches.items()):
        kind = watch.problem.unusual
        # What is overlooked on one problem is by luck not on another.
        if reason := reasons.get(name) or (watch.problem.overlooking if kind in overlooked else ""):
            left_out[reason].append((name, kind))
            del check.watches[name]
    asked_for = {watch.problem.unusual for watch in check.watches.values()} | {""}
    check.unsupported = {kind for those in left_out.values() for _, kind in those} - asked_for
    check.refuse(  # by the kind, where all of it was left out
        {why: [f"'{name}'" if kind in asked_for else kind for name, kind in those] for why, those in left_out.items()}
    )


def why_left_out(check: Check, watch: Watch, trials: int) -> str:
    """Run some trials of a problem, and say why they cannot be asked for; nothing if they can.

    Raises
    ------
    Crash, InvalidOutput
        If the function breaks its contract.
    """
    unusual = watch.problem.unusual
    try:
        if unusual and watch.problem.overlooked(check.subject, check.rng):
            return watch.problem.overlooking
        sample(check.subject, watch.problem, trials, check.rng)
    except Refusal as error:
        return str(error)
    except Hang:
        raise
    except Crash as error:
        if not unusual:
            raise
        return str(error)
    return ""
