"""specproof: exact theory, simulation and conformance tests for speculative decoding.

The exact mathematics is at hand from here, and so are :func:`check_sampler` and :func:`assert_lossless`, which test
anybody's sampler. The public modules are

===========================  ===========================================================================================
``specproof``                the exact theory and the two functions that test a sampler
``specproof.theory``         the exact theory alone, with a map of its modules
``specproof.conformance``    the kit that tests samplers: problems, verdicts, reports, hypothesis strategies
``specproof.traces``         prices of every rule from target text, and plans
``specproof.transformers``   decoding rules for the ``custom_generate`` argument of transformers
``specproof.simulations``    samplers, statistics and language models
``specproof.claims``         what a claim, a figure or a verifier of your own imports
``specproof.figures``        the figures
===========================  ===========================================================================================

and every other module is internal: it may change without notice. A name is loaded when it is first asked for, so that
importing the package, as every command does, costs nothing.

Examples
--------
>>> import specproof
>>> round(float(specproof.optimal_acceptance([0.5, 0.5], [0.25, 0.75], 2)), 6)
1.0
"""

__version__ = "0.2.0"

TYPE_CHECKING = False  # to type checkers it is True; importing it would give an interrupt time to be a traceback
if TYPE_CHECKING:
    from specproof.conformance.checking import assert_lossless as assert_lossless
    from specproof.conformance.checking import check_sampler as check_sampler
    from specproof.theory.public import *  # noqa: F403
else:
    from specproof.lazy import exports

    __getattr__, __dir__ = exports(__name__, "specproof.public")
