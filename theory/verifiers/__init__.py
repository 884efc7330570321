"""The verifiers of k i.i.d. drafts for one position: a room each, which holds all that is exact about the rule.

A room is a module or a package. It states the law of the rule, how many drafts carry the accepted token, the rule for
given drafts, and where they exist a certificate, a guarantee and a proof; at its end it registers the rule once.

=============================  ========================================================================================
``registry``                   what a verifier is, and how it is registered
``selection_law``              the exact law of one selection, which every rule states
``at_tokens``                  agreement at the tokens of a text alone, for all numbers of drafts at once
``in_order``                   rules that try their drafts in order: agreement and given drafts from their chances
``single``                     the first draft alone, by maximal coupling
``kseq``                       K-SEQ: law, agreement, certificate, guarantee
``recursive``                  recursive rejection of i.i.d. drafts
``recursive_without_...``      recursive rejection of distinct drafts, which is no verifier of i.i.d. ones
``priority``                   the priority coupling, which is optimal; and priority orders for drafts of any joint law
=============================  ========================================================================================

To add one, write its room here or in a file of your own, and its sampler beside it.
"""

from specproof.theory.looks import LOOKS
from specproof.theory.registry import load_rooms
from specproof.theory.verifiers.registry import VERIFIERS, Verifier, register_verifier

load_rooms(__name__, list(__path__))

__all__ = ["LOOKS", "VERIFIERS", "Verifier", "register_verifier"]
