"""A draft law that is divided by exponential noise in place to draw from it, and its exact law by quadrature."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from specproof.conformance.defects.defect import Defect
from specproof.conformance.defects.loop import Loop
from specproof.conformance.defects.rules import Ends, Rule, normalised, pick
from specproof.conformance.problems import Contract, Tokens
from specproof.theory.distribution import Array

STEP = 1 / 12
"""The step of the trapezoidal rules; with half of it no probability on the kit's problems is another by 1e-9."""
NODES = 24
"""The number of nodes of Gauss and Legendre in each panel of the least time."""
LAST = 40.0
"""The least time is longer with probability 4e-18."""


class OverwrittenLoop(Loop):
    r"""Draws a draft by dividing its law by exponential noise in place, and hands on what the division left.

    With :math:`E_y` standard exponential the drafted token is the one of the least time :math:`T_y = E_y/p_y`. This
    least time M is standard exponential whatever the token, and :math:`1/T` is what the verifier takes for p.
    """

    def _draft(self, law: Array, wanted: NDArray[np.bool_], rng: np.random.Generator) -> tuple[Tokens, Array]:
        del wanted
        law = law / rng.standard_exponential(law.shape)
        return law.argmax(axis=-1), law

    def _kernel(self, draft_probs: Array, target_probs: Array, draft_tokens: Tokens) -> Ends:
        return Rule(_test, _residual).kernel(draft_probs, target_probs, draft_tokens)


def _test(draft: Array, target: Array, tokens: Tokens) -> Array:
    """Give E min(1, q(x) M) = q(x) (1 - e^{-1/q(x)})."""
    del draft
    q = pick(target, tokens)
    with np.errstate(divide="ignore", over="ignore"):
        accept: Array = q * -np.expm1(-1.0 / q)
    return accept


def _residual(draft: Array, target: Array, tokens: Tokens) -> Array:
    """The law of the replacement, given the rejected token and averaged over the noise."""
    size = draft.shape[-1]
    rows = np.concatenate([draft, target, tokens[..., np.newaxis]], axis=-1).reshape(-1, 2 * size + 1)
    unlike, places = np.unique(rows, axis=0, return_inverse=True)
    mass = [replaced(tuple(row[:size]), tuple(row[size:-1]), int(row[-1])) for row in unlike.tolist()]
    return normalised(np.stack(mass)[places.reshape(tokens.shape)], target)


@lru_cache(maxsize=4096)
def replaced(draft: tuple[float, ...], target: tuple[float, ...], x: int) -> Array:
    r"""Probability that x, which was drafted, is rejected and y emitted: entry y, shape (V,).

    Given M = m the other times are independent, and so are the :math:`W_y = [q_y - 1/T_y]_+` that the replacement is
    drawn from; :math:`W_x` is 0. Where their sum S is positive,

    .. math:: \mathrm{E}\, \frac{W_y}{S} = \int_0^\infty \mathrm{E}\left[W_y e^{-s W_y}\right]
              \prod_{z \ne x, y} \mathrm{E}\left[e^{-s W_z}\right] ds,

    and where it is 0 the target's row is used. What is left are an integral over m, of the probability
    :math:`[1 - q_x m]_+` of rejection, one over s, and one for the transforms of each token. What is lost are events
    in which all W are 1e-15 times smaller than they can be.
    """
    others = [y for y in range(len(target)) if y != x]
    scale = max((target[y] for y in others), default=0.0)
    mass = np.zeros(len(target))
    times, weights = _least_times(target[x], np.array([target[y] for y in others]))
    weights *= np.exp(-draft[x] * times) * np.maximum(1.0 - target[x] * times, 0.0)
    found = [_transforms(draft[y], target[y], scale, times) for y in others]
    for place, y in enumerate(others):
        rest = [plain for at, (_, plain, _) in enumerate(found) if at != place]
        mass[y] = weights @ np.prod([found[place][2], *rest], axis=0) @ _SCALE_WEIGHTS
    without = weights @ np.prod([np.ones_like(times), *(idle for idle, _, _ in found)], axis=0)
    total: Array = mass + without * np.array(target)
    return total


def _least_times(rejected: float, others: Array) -> tuple[Array, Array]:
    """Nodes and weights over [0, min(1/q_x, LAST)], in panels between the other 1/q, where a W stops to vanish."""
    lowest = max(rejected, 1.0 / LAST)
    ends = np.unique(1.0 / np.array([lowest, *others[others > lowest], np.inf]))[:, np.newaxis]
    widths = np.diff(ends, axis=0)
    return (ends[:-1] + widths * _PANEL).reshape(-1), (widths * _PANEL_WEIGHTS).reshape(-1)


def _transforms(p: float, q: float, scale: float, times: Array) -> tuple[Array, Array, Array]:
    r"""P(T > m, W = 0), :math:`E[e^{-sW}; T > m]` and :math:`E[W e^{-sW}; T > m]` at all m and s, W in units of scale.

    W is positive from T = 1/q on. Past :math:`t = \max(m, 1/q)` the time goes on exponentially, to T = t + G/p.
    """
    ratio = p / q if q > 0 else np.inf
    # As qt - 1, from which nothing cancels; the same for all m up to 1/q.
    late, places = np.unique(np.maximum(q * times - 1.0, 0.0), return_inverse=True)
    start = ratio * (1.0 + late)[:, np.newaxis]  # pt
    values = (p * late[:, np.newaxis] + q * _NOISE) / (start + _NOISE) / (scale or 1.0)
    powers = np.exp(-_SCALES[:, np.newaxis] * values[:, np.newaxis])
    idle = np.maximum(np.exp(-p * times) - np.exp(-ratio), 0.0)
    reach = np.exp(-start)
    plain = reach * (powers @ _NOISE_WEIGHTS)
    weighted = reach * (powers @ (values * _NOISE_WEIGHTS)[..., np.newaxis])[..., 0]
    return idle, idle[:, np.newaxis] + plain[places], weighted[places]


def _panel() -> tuple[Array, Array]:
    """Give nodes and weights for integrals over [0, 1] of functions with a singularity like x log x at 0."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    roots = 0.5 * (nodes + 1.0)
    return roots**3, 1.5 * roots**2 * weights


def _scales() -> tuple[Array, Array]:
    """Give nodes and weights for integrals over [0, oo) of functions that decay like a power.

    The substitution is s = exp(pi/2 sinh u) (Takahasi and Mori 1974).
    """
    places = np.arange(-4.0, 4.0, STEP)
    scales = np.exp(0.5 * np.pi * np.sinh(places))
    return scales, STEP * scales * 0.5 * np.pi * np.cosh(places)


def _exponentials() -> tuple[Array, Array]:
    """Give nodes and weights for means over a standard exponential variable: g = exp(u - e^-u), of the same authors."""
    places = np.arange(-4.0, 4.0, STEP)
    values = np.exp(places - np.exp(-places))
    return values, STEP * values * (1.0 + np.exp(-places)) * np.exp(-values)


_PANEL, _PANEL_WEIGHTS = _panel()
_SCALES, _SCALE_WEIGHTS = _scales()
_NOISE, _NOISE_WEIGHTS = _exponentials()

OVERWRITTEN_DEFECTS: tuple[Defect, ...] = (
    Defect(
        "draft-law-overwritten",
        "the draft law is divided by exponential noise in place to draw from it, and what is left is declared",
        Contract.GENERATE,
        OverwrittenLoop().sampler,
        OverwrittenLoop().law,
        "a draft that is no point mass",
        "three tokens",
        ("vllm-project/vllm#16952",),
    ),
)
