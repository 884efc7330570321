"""Defects of rounds in which what drew a draft draws its replacement too; their exact laws are closed forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.round_defects import Round
from specproof.conformance.defects.rules import Rule, emit, pick, quotient, residual, token_laws
from specproof.conformance.problems import Contract, RoundProblem, Tokens, next_token_law
from specproof.simulations.samplers.inversion import invert
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array


@dataclass(frozen=True)
class SharedNoise:
    """Draft and verify with noise for each position, drawn once and used for the draft and for its replacement."""

    noise: Callable[[Array, np.random.Generator], Array]
    """Draws the noise of a position, given laws (n, V)."""
    draw: Callable[[Array, Array], Tokens]
    """Draws tokens (n,) from laws (n, V) by noise."""
    replace: Callable[[Array, Array, Tokens], Array]
    """The law of the replacement, given the rejected token."""

    def sampler(
        self,
        draft_model: TabularModel,
        target_model: TabularModel,
        prefix: Tokens,
        length: int,
        rng: np.random.Generator,
    ) -> Tokens:
        """Run n rounds; the bonus token has noise of its own."""
        draft, target, noise, text = [], [next_token_law(target_model, prefix)], [], prefix
        for _ in range(length):
            draft.append(next_token_law(draft_model, text))
            noise.append(self.noise(draft[-1], rng))
            text = np.concatenate([text, self.draw(draft[-1], noise[-1])[:, np.newaxis]], axis=1)
            target.append(next_token_law(target_model, text))
        noise.append(self.noise(target[-1], rng))
        drafts, rows = text[:, prefix.shape[1] :], (np.stack(draft, axis=1), np.stack(target, axis=1))
        accepted = rng.random(drafts.shape) < quotient(rows[0], rows[1][:, :-1], drafts)
        kept = np.cumprod(accepted, axis=1).sum(axis=1)
        each = np.arange(len(kept)), kept
        return emit(drafts, kept, self.draw(token_laws(*rows, drafts)[each], np.stack(noise, axis=1)[each]))

    def law(self, problem: RoundProblem) -> Array:
        """Give the joint law of the prefix and the emitted row."""
        return Round(Rule(replace=self.replace)).law(problem)


def exponentials(law: Array, rng: np.random.Generator) -> Array:
    """Draw a clock for each token; that the least of clock/law wins is the Gumbel-max rule in other words."""
    return rng.standard_exponential(law.shape)


def first_clock(law: Array, clocks: Array) -> Tokens:
    """Draw the token whose clock, at the speed of its probability, rings first."""
    with np.errstate(divide="ignore", over="ignore"):
        first: Tokens = (clocks / law).argmin(axis=-1)
    return first


def by_old_clocks(draft: Array, target: Array, tokens: Tokens) -> Array:
    r"""Give the law of the replacement that is drawn from the residual r by the clocks that drew the draft.

    The draft's clock rings at a time M of a standard exponential law, and until then no other does. So the clock of y
    reads :math:`p_y M + X_y` with X independent and exponential, and y is drawn if that is least at the speed
    :math:`r_y`. Integrated over M and over the time u M at which it rings, the probability is

    .. math:: r_y \int_{p_y/r_y}^\infty \Bigl(1 + \sum_v [r_v u - p_v]_+\Bigr)^{-2} du,

    whatever the rejected token is, as its residual is 0.
    """
    speeds = residual(draft, target, tokens)
    with np.errstate(divide="ignore", over="ignore"):
        starts = np.where(speeds > 0, draft / np.where(speeds > 0, speeds, 1.0), np.inf)
    order = np.argsort(starts, axis=-1, kind="stable")
    start, speed, mass = (np.take_along_axis(rows, order, axis=-1) for rows in (starts, speeds, draft))
    slope, passed = np.cumsum(speed, axis=-1), np.cumsum(mass, axis=-1)
    after = np.concatenate([start[..., 1:], np.full_like(start[..., :1], np.inf)], axis=-1)
    # Between two starts the denominator is linear, and so the integral of its inverse square is a difference.
    inverses = [1.0 / (1.0 + np.where(np.isinf(end), np.inf, slope * end - passed)) for end in (start, after)]
    pieces = np.where(np.isinf(start), 0.0, (inverses[0] - inverses[1]) / slope)
    later = np.cumsum(pieces[..., ::-1], axis=-1)[..., ::-1]
    law = np.empty_like(speeds)
    np.put_along_axis(law, order, speed * later, axis=-1)
    return law


def one_uniform(law: Array, rng: np.random.Generator) -> Array:
    """Draw the number at which a law is inverted, shape (n, 1)."""
    return rng.random((len(law), 1))


def inverted(law: Array, uniform: Array) -> Tokens:
    """Invert laws at numbers."""
    tokens: Tokens = invert(law, uniform[:, 0])
    return tokens


def by_old_uniform(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Give the law of the replacement at the number that drew the draft: uniform on the draft's own interval."""
    upper = np.cumsum(draft, axis=-1)
    low, high = pick(upper - draft, tokens)[..., np.newaxis], pick(upper, tokens)[..., np.newaxis]
    edges = np.cumsum(residual(draft, target, tokens), axis=-1)
    edges[..., -1] = 1.0
    within = np.clip(edges, low, high)
    shares = np.diff(within, axis=-1, prepend=low)
    law: Array = np.divide(shares, high - low, out=residual(draft, target, tokens), where=high > low)
    return law


CLOCKS = SharedNoise(exponentials, first_clock, by_old_clocks)
UNIFORM = SharedNoise(one_uniform, inverted, by_old_uniform)

SHARED_NOISE_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "gumbel-noise-reused",
        "the Gumbel noise that drew the rejected draft also draws its replacement",
        Contract.ROUND,
        CLOCKS.sampler,
        CLOCKS.law,
        "a residual of two tokens or more",
        "a token hardly drafted",
        ("vllm-project/vllm#47386", "vllm-project/vllm#54282"),
    ),
    Defect(
        "draft-uniform-reused",
        "the number that drew the rejected draft by inversion also draws its replacement",
        Contract.ROUND,
        UNIFORM.sampler,
        UNIFORM.law,
        "a residual of two tokens or more",
        "five tokens",
        ("vllm-project/vllm-ascend#15739",),
    ),
)
