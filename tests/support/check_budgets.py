"""Budgets of checks in tests: counted, so that a busy machine changes nothing; the default is checked where it counts.

What is looked at once an alarm was given is counted too: a dozen problems in search of a small one that fails. That
the search gets to the end is shown in ``conformance/explanation``, with all the candidates of the default.
"""

from __future__ import annotations

from dataclasses import replace

from specproof.conformance import DEFAULT

QUICK = replace(DEFAULT, rounds=3, small=20, seconds=100.0, candidates=12)
"""Enough for gross defects."""
LONGER = replace(QUICK, rounds=4, small=50)
"""Enough for what shows in some batches only."""
WHOLE = replace(DEFAULT, rounds=7, seconds=1000.0)
"""The default, with as many rounds as it has time for on a busy machine."""
ALL_ROUNDS = replace(QUICK, rounds=WHOLE.rounds)
"""The rounds of that, and hardly any small batches."""
