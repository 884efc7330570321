"""What every verifier returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from specproof.simulations.samplers.inversion import AnyArray, invert
from specproof.theory.errors import InvalidInput, entry


class Selection(NamedTuple):
    """One emitted token for each trial, and where it came from."""

    tokens: AnyArray
    """The emitted tokens, int64, shape (...)."""
    accepted: AnyArray
    """The index among the drafts of the one that was accepted, or -1 where all were rejected, shape (...)."""


SelectionSampler = Callable[[AnyArray, AnyArray, AnyArray, AnyArray], Selection]
"""A rule for k i.i.d. drafts of one position: ``verify(draft, target, drafts, uniforms)``, arrays of NumPy or torch.

``draft`` and ``target`` have shape (V,) or (..., V), ``drafts`` (..., k) and ``uniforms`` (..., k + 1).
"""


def checked_namespace(draft: AnyArray, target: AnyArray, drafts: AnyArray, uniforms: AnyArray) -> Any:
    """The array library of the arguments of a rule, once their shapes go together and the drafts are tokens.

    Raises
    ------
    InvalidInput
        If they are not arrays of one library, the laws are not floats of 32 bits or more, the drafts are not integers
        from 0 to V - 1, or a shape is not that of :data:`SelectionSampler`.
    """
    try:
        xp = array_namespace(draft, target, drafts, uniforms)
    except TypeError as error:
        raise InvalidInput(f"draft, target, drafts and uniforms must be arrays of one library ({error})") from None
    shape = tuple(drafts.shape)
    if drafts.ndim == 0 or shape[-1] == 0 or not xp.isdtype(drafts.dtype, "integral"):
        raise InvalidInput(f"drafts has shape {shape} and dtype {drafts.dtype}: it must hold k >= 1 tokens in each row")
    for name, law in (("draft", draft), ("target", target)):
        if not xp.isdtype(law.dtype, "real floating") or xp.finfo(law.dtype).bits < 32:
            raise InvalidInput(f"{name} has dtype {law.dtype}: cast to float32 or float64, before any softmax")
        if law.ndim == 0 or (law.ndim > 1 and tuple(law.shape[:-1]) != shape[:-1]):
            raise InvalidInput(
                f"{name} has shape {tuple(law.shape)}: beside drafts of shape {shape} it must be (V,), or "
                f"({', '.join([*map(str, shape[:-1]), 'V'])})"
            )
    if draft.shape[-1] != target.shape[-1]:
        raise InvalidInput(
            f"draft has {draft.shape[-1]} tokens and target has {target.shape[-1]}: remap to one alphabet"
        )
    needed = (*shape[:-1], shape[-1] + 1)
    if tuple(uniforms.shape) != needed:
        raise InvalidInput(f"uniforms has shape {tuple(uniforms.shape)}: drafts of shape {shape} take {needed}")
    _check_tokens(xp, drafts, draft.shape[-1])
    return xp


def _check_tokens(xp: Any, drafts: AnyArray, vocabulary: int) -> None:
    # An index of -1, which engines pad with, would be read as the last token's.
    wrong = (drafts < 0) | (drafts >= vocabulary)
    if bool(xp.any(wrong)):
        index = tuple(int(places[0]) for places in xp.nonzero(wrong))
        raise InvalidInput(
            f"{entry('drafts', index)} is {int(drafts[index])}, not a token from 0 to {vocabulary - 1}: "
            "leave padding out"
        )


def or_target(residual: AnyArray, target: AnyArray) -> AnyArray:
    """Weights to replace a rejected draft by: the residual, or the target in rows where the residual has no mass.

    In exact arithmetic such a row is never rejected. In floating point it may be, as where the laws are equal up to
    rounding and q <= p in every entry; what is emitted then must still be a token that the target can emit.
    """
    xp = array_namespace(residual, target)
    return xp.where(xp.any(residual > 0, axis=-1, keepdims=True), residual, target)


def replace_rejected(tokens: AnyArray, accepted: AnyArray, residual: AnyArray, uniforms: AnyArray) -> AnyArray:
    """Keep the accepted tokens and draw the others from the residual, by inversion.

    Parameters
    ----------
    tokens : array of int64, shape (...)
    accepted : array of bool, shape (...)
    residual : array, shape (V,) or (..., V)
        Weights, one row shared by all trials or one for each.
    uniforms : array, shape (...)
    """
    rejected = ~accepted
    return redraw(tokens, rejected, rows_of(residual, rejected), uniforms)


def redraw(tokens: AnyArray, chosen: AnyArray, laws: AnyArray, uniforms: AnyArray) -> AnyArray:
    """Draw the tokens of the chosen trials anew, from a law of each of these (m, V) or one of all (V,)."""
    emitted = array_namespace(tokens, chosen, laws, uniforms).asarray(tokens, copy=True)
    emitted[chosen] = invert(laws, uniforms[chosen])
    return emitted


def rows_of(law: AnyArray, chosen: AnyArray) -> AnyArray:
    """The rows of the chosen trials, shape (m, V); a law of shape (V,) is shared by all, and given as it is."""
    return law if law.ndim == 1 else law[chosen]
