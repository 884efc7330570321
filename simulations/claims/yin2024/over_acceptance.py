"""Decoding-OPT and Decoding-UNO in one context of language models: rejection, bias, and who wins the next token."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specproof.simulations.samplers import relaxed
from specproof.simulations.samplers.inversion import AnyArray
from specproof.simulations.samplers.selection import SelectionSampler
from specproof.theory.distribution import Array
from specproof.theory.ratio import likelihood_ratio
from specproof.theory.relaxed import RelaxedLaw, decoding_opt, decoding_uno
from specproof.theory.tradeoff import minimal_bias, relaxed_acceptance
from specproof.theory.win_rate import win_rate

EPSILONS = (0.1, 0.2, 0.4, 0.8)
RULES = {"opt": relaxed.opt_sampler, "uno": relaxed.uno_sampler}
LAWS = tuple((rule, epsilon) for epsilon in EPSILONS for rule in RULES)
"""What a text can be written by."""

LIKELIHOOD, RATIO = "likelihood", "likelihood ratio"


class Writer(NamedTuple):
    """Who writes a text."""

    rule: str
    """OPT or UNO, by its name in ``RULES``."""
    epsilon: float
    """How much it over-accepts."""

    @property
    def other(self) -> Writer:
        """The other rule, which accepts and rejects alike."""
        return Writer("uno" if self.rule == "opt" else "opt", self.epsilon)

    @property
    def couple(self) -> Callable[[AnyArray, AnyArray, AnyArray, AnyArray], AnyArray]:
        """What draws the other rule's token where this one rejects."""
        return relaxed.couple_uno if self.rule == "opt" else relaxed.couple_opt

    def sampler(self) -> SelectionSampler:
        """Make the rule."""
        return RULES[self.rule](self.epsilon)


def exact_in_context(draft: Array, target: Array, epsilon: Array) -> dict[str, Array]:
    """Compute rejection and bias of both rules in each context, and of a broken control that accepts half as often."""
    opt, uno = decoding_opt(draft, target, epsilon), decoding_uno(draft, target, epsilon)
    closed = np.maximum(draft - target - epsilon[:, np.newaxis], 0.0).sum(axis=-1)
    halved = 0.5 * relaxed_acceptance(draft, target, epsilon)
    return {
        "rejection": opt.rejection,
        "bias_opt": opt.bias,
        "bias_uno": uno.bias,
        "rejection_error": np.maximum(np.abs(opt.rejection - closed), np.abs(uno.rejection - closed)),
        "halved": 0.5 * (1.0 + opt.rejection) + minimal_bias(draft, target, halved),
        **_next_token(draft, target, opt, uno),
    }


def _next_token(draft: Array, target: Array, opt: RelaxedLaw, uno: RelaxedLaw) -> dict[str, Array]:
    """Compare the next token of OPT with an independent one of UNO by both judges: win rate, and difference of scores.

    Judged by q/p, OPT is never behind: P* has the density (1 - p/q)+ / TV with respect to q, which rises with q/p.
    """
    rows = np.flatnonzero(opt.rejection)  # where nothing is rejected, the rules are one
    first, second, p, q = opt.output[rows], uno.output[rows], draft[rows], target[rows]
    found: dict[str, Array] = {}
    for name, scores in (("likelihood", q), ("ratio", likelihood_ratio(p, q))):
        with np.errstate(divide="ignore"):
            logs = np.log(np.maximum(scores, 0.0))
        differences = np.where(first == second, 0.0, first - second)
        won, gained = np.full(len(draft), 0.5), np.zeros(len(draft))
        won[rows] = win_rate(first, second, scores)
        gained[rows] = np.multiply(differences, logs, out=np.zeros_like(logs), where=differences != 0.0).sum(axis=-1)
        found |= {f"win_{name}": won, f"gain_{name}": gained}
    return found


def log_probabilities(draft: Array, target: Array, tokens: NDArray[np.int64]) -> Array:
    """Take logarithms of what target, draft and each of ``LAWS`` give one token in each context, (n, 2 + laws)."""
    rows = np.arange(len(tokens))
    p, q = draft[rows, tokens], target[rows, tokens]
    excess = draft - target
    distance = np.maximum(excess, 0.0).sum(axis=-1)
    above, place = np.nonzero(excess > min(EPSILONS))  # at most 1/epsilon of them in a row
    found = [q, p]
    for rule, epsilon in LAWS:
        rejection = np.bincount(above, np.maximum(excess[above, place] - epsilon, 0.0), minlength=len(tokens))
        optimal = np.divide(np.maximum(q - p, 0.0), distance, out=np.zeros_like(q), where=distance > 0.0)
        found.append(np.minimum(p, q + epsilon) + rejection * (optimal if rule == "opt" else q))
    with np.errstate(divide="ignore"):
        return np.stack([np.log(each) for each in found], axis=-1)
