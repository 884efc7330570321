"""The contracts, which are signatures that a sampler can have."""

from __future__ import annotations

from enum import StrEnum

from specproof.theory.errors import InvalidInput


class Contract(StrEnum):
    """Signature of the sampler to check.

    For n independent trials and a NumPy generator ``rng``:

    ========  =================================================  ==================================================
    contract  sampler                                            emitted law
    ========  =================================================  ==================================================
    chain     ``verify(draft_probs (n, L, V), target_probs       shape (V+1,) * (L+1): entry ``law[emitted + 1]``,
              (n, L+1, V), draft_tokens (n, L), rng)`` ->        so index 0 on an axis is the -1 after the last
              emitted (n, L+1), -1 after the last token          emitted token
    multi     ``verify(draft_probs (n, V), target_probs (n, V),  shape (2, V): row 1 for an accepted draft, row 0 for
              draft_tokens (n, k), rng)`` -> (emitted (n,),      a token emitted after all were rejected
              index of the accepted draft or -1 (n,)); with a
              parameter ``drawn``, drafts are also drawn
              otherwise than independently
    tree      ``verify(tree, target_probs (n, N, V),             shape (V+1,) * (D+1), as in chain
              draft_probs (n, N, V) or None, rng)`` -> emitted
              (n, D+1), -1 after the last token; ``tree`` is a
              :class:`~specproof.conformance.tree.Tree`
    round     ``round(draft_model, target_model, prefix (n, m),  shape (V,) * m + (V+1,) * (length+1): the prefix,
              length, rng)`` -> emitted (n, up to length+1), -1  then as in chain
              after the last token
    generate  ``generate(draft_model, target_model, prompt,      shape (V,) * length
              length, n, rng)`` -> tokens (n, length)
    ========  =================================================  ==================================================

    Examples
    --------
    >>> from specproof.conformance import Contract
    >>> Contract("multi") is Contract.MULTI, [str(contract) for contract in Contract]
    (True, ['chain', 'multi', 'tree', 'round', 'generate'])
    """

    CHAIN = "chain"
    MULTI = "multi"
    TREE = "tree"
    ROUND = "round"
    GENERATE = "generate"


def as_contract(contract: Contract | str) -> Contract:
    """Take a contract or its name.

    Raises
    ------
    InvalidInput
        If there is no such contract.

    Examples
    --------
    >>> as_contract("chain") is Contract.CHAIN
    True
    """
    try:
        return Contract(contract)
    except ValueError:
        raise InvalidInput(f"contract is {contract!r}: it must be one of {', '.join(Contract)}") from None
