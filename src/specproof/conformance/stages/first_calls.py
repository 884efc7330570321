"""The first stage: whether the function can be called at all, and on which problems."""

from __future__ import annotations

import time

from specproof.conformance.evidence.sampling import sample
from specproof.conformance.stages.state import ROUNDS, Check
from specproof.conformance.subject.failures import Refusal, asked


def call_every_problem(check: Check) -> None:
    """Run one to three trials of every problem; those that the function refuses are left out.

    Raises
    ------
    Crash, InvalidOutput
        If the function breaks its contract.
    """
    for index, (name, watch) in enumerate(list(check.watches.items())):
        if time.monotonic() > check.after(ROUNDS):
            break
        try:
            with asked(name):
                sample(check.subject, watch.problem, 1 + index % 3, check.rng)
        except Refusal as error:
            check.refuse(name, error)
            del check.watches[name]
