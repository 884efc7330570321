"""What the checks of correct samplers could have seen: ``python -m specproof.conformance.sharpness``.

A row for a reference of each contract: how many trials its check made, and the total variation that it would have seen
with probability 0.99, on every problem at once and on one alone. The budget counts seconds, in which a check makes as
many trials as the machine and what else runs on it allow; what processor time it had is printed. ``--own-core`` counts
seconds of the processor in their place, as if nothing else ran.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Sequence

from specproof.conformance.arguments import DEFAULT, THOROUGH
from specproof.conformance.checking import check_sampler
from specproof.conformance.contract import Contract
from specproof.conformance.processor_clock import processor_as_clock
from specproof.conformance.references import references
from specproof.conformance.report.check_result import told_bias

REFERENCES = (
    "token by token",
    "recursive",
    "walk by the target",
    "round that stops when unsure",
    "speculative loop",
)
"""A reference of each contract."""
ROW = "| {} | {} | {} | {} | {} | {} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Check a reference of each contract and print the table."""
    parser = argparse.ArgumentParser(prog="python -m specproof.conformance.sharpness", description=main.__doc__)
    parser.add_argument("--thorough", action="store_true", help="a minute each in place of ten seconds")
    parser.add_argument("--own-core", action="store_true", help="count seconds of the processor, not of the clock")
    parser.add_argument("--contract", choices=[*Contract], action="append", help="of this contract alone; repeatable")
    given = parser.parse_args(arguments)
    budget = THOROUGH if given.thorough else DEFAULT
    seconds = "seconds of the processor" if given.own_core else "seconds"
    print(f"At most {budget.rounds} rounds from {budget.first:,} trials on, {budget.seconds:g} {seconds} each.\n")
    print(ROW.format("reference", "contract", "trials", "processor", "on every problem", "on one alone"))
    print("| --- " * 6 + "|")
    for name in REFERENCES:
        contract, sampler = references()[name]
        if given.contract is None or contract in given.contract:
            start = time.process_time()
            with processor_as_clock() if given.own_core else contextlib.nullcontext():
                report = check_sampler(sampler, contract, budget=budget)
            spent = f"{time.process_time() - start:.1f} of {report.seconds:.1f} s"
            biases = map(told_bias, (report.detectable_bias_on_all_problems, report.detectable_bias))
            print(ROW.format(name, contract, f"{report.trials:,}", spent, *biases), flush=True)


if __name__ == "__main__":
    main()
