"""The registry of samplers: one for each verifier of :mod:`specproof.theory.verifiers`, under its name."""

from __future__ import annotations

from specproof.simulations.samplers.selection import SelectionSampler
from specproof.theory.errors import InvalidInput
from specproof.theory.registry import Registry
from specproof.theory.verifiers import VERIFIERS

SAMPLERS: Registry[SelectionSampler] = Registry("verifier")
"""All samplers by the name of their verifier: those of this package, and what a user has registered beside them."""


def register_sampler(name: str, sampler: SelectionSampler) -> None:
    """Let a registered verifier be drawn from: in simulations, claims and the conformance kit's references.

    Parameters
    ----------
    name : str
        The name of the verifier, which is registered first.
    sampler : callable
        ``verify(draft, target, drafts, uniforms) -> Selection``, see
        :data:`specproof.simulations.samplers.selection.SelectionSampler`.

    Raises
    ------
    InvalidInput
        If no verifier has this name, it has another sampler already, or the sampler cannot be called.

    Examples
    --------
    >>> from specproof.simulations.samplers import SAMPLERS
    >>> register_sampler("kseq", SAMPLERS["kseq"])  # as it already is: nothing changes
    """
    if name not in VERIFIERS:
        raise InvalidInput(f"name is {name!r} and no verifier has it: register the verifier before its sampler")
    if not callable(sampler):
        raise InvalidInput(f"sampler is {sampler!r}: give a function verify(draft, target, drafts, uniforms)")
    SAMPLERS.add(name, sampler)
