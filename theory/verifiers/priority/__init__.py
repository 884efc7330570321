r"""The optimal verifier of k i.i.d. drafts, exactly, at any vocabulary size: the priority coupling.

Every token owns a set :math:`I_i \subset [0, 1]` of total length p_i; the sets tile [0, 1]. Each draft draws a
priority uniformly from the set of its token, and the draft of the highest priority wins. As the priorities are
independent and uniform on [0, 1], token i wins with probability :math:`\int_{I_i} k s^{k-1} ds`, whatever the sets
are: to choose them is to choose the law of the winner. docs/priority-coupling.md has the proof that the choice made
here is optimal.
"""

from specproof.theory.verifiers.priority.coupling import PriorityCoupling
from specproof.theory.verifiers.priority.intervals import Intervals

__all__ = ["Intervals", "PriorityCoupling"]
