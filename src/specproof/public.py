"""Every name that :mod:`specproof` hands out, imported: the exact theory and the two doors of the kit."""

import specproof.theory.public
from specproof.conformance.checking import assert_lossless, check_sampler
from specproof.theory.public import *  # noqa: F403

__all__ = ["assert_lossless", "check_sampler", *specproof.theory.public.__all__]
