"""Conformance kit: whether somebody's speculative sampler is lossless, and how far from the best acceptance.

Three lines in a test-suite::

    from specproof.conformance import assert_lossless

    def test_verifier():
        assert_lossless(verify, contract="chain")

The kit is a room with rooms, each with a map of its own:

================  ==================================================================================================
problems          what is asked: a class a contract, the ladder, degenerate pairs
subject           a stranger's function: loaded, called with a time limit, isolated in a process
evidence          what the emitted tokens say: e-processes, pairs of trials, small batches, streams, detectable bias
stages            what a check does, in order
explanation       after an alarm: its cause, the smallest failing problem, the known defect
report            what a check found, and how that is shown
defects           the catalogue of known defects, with exact laws, and look-alikes that are exact
strategies        hypothesis's strategies for laws, models and problems
================  ==================================================================================================

Beside them, ``contract`` names the contracts, ``checking`` holds :func:`check_sampler` and :func:`assert_lossless`,
``arguments`` what these can be asked for, ``problem_tests`` a pytest test for each problem, ``references`` correct
samplers, ``sharpness`` the biases that checks of them could have seen, and ``false_alarms`` an experiment on how often
the kit alarms on them. A name is loaded when it is first asked for, so that the command knows the contracts without
loading the kit.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specproof.conformance.public import *  # noqa: F403
else:
    from specproof.lazy import exports

    __getattr__, __dir__ = exports(__name__, "specproof.conformance.public")
