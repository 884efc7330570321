"""Exact mathematics of speculative decoding: pure functions of arrays, without I/O and without hidden randomness.

Every name of ``specproof.theory.__all__`` can be imported from here, and is loaded when it is first asked for.

=====================  =================================================================================================
``distribution``       distributions over a vocabulary, and how each argument that is one is checked
``sampling_settings``  temperature, top-k, top-p and min-p: how logits become a distribution
``chain``              models over a horizon: Markov chains and tables of the whole history
``rejections``         how many positions of a text are rejected, token by token and with batches of drafts
``tradeoff``           accepting more than is lossless: rejection against bias
``relaxed``            the laws of rules that do
``policies``           four policies for one drafted token, and the draft temperature that suits each best
``lossy``              rules that are not lossless, by their laws, and the best that a bias in KL can buy
``draft_length``       tokens a call, speed-up and the best draft length, if positions accept independently
``sequences``          draft sequences: accepted lengths, block efficiency, the long run
``blocks``             block verification: what is accepted of one draft sequence, and what is emitted after it
``texts``              texts of the target: how far calls reach in them, and how many a text takes, for every rule
``transport``          the best that any verifier can do: formula, linear program, certificates
``trees``              what a whole draft tree can yield: the block optimum, by a linear program with a proof
``verifiers``          the published rules, a room each
``one_position``       what every rule accepts at one position, whatever it drafts, next to the optimum of its drafts
``independent``        slow second routes to the same numbers, which tests and claims compare with; not exported
=====================  =================================================================================================

Arguments of public functions are checked where they come in: distributions by ``distribution``, numbers of drafts by
``drafts``, other counts by ``integers``, other numbers by ``numbers``, other arrays by
``arrays``, and random generators by ``generators``. Everything that begins with an underscore, and
``ratio``, ``rationals`` and ``rejections.walk``, trusts its arguments.

Examples
--------
>>> from specproof.theory import total_variation
>>> float(total_variation([0.5, 0.5], [0.25, 0.75]))
0.25
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specproof.theory.public import *  # noqa: F403
else:
    from specproof.lazy import exports

    __getattr__, __dir__ = exports(__name__, "specproof.theory.public")
