"""The law of a draft that is divided by noise: against hand-made integrals, another quadrature, and the mechanism."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given

from specproof.conformance.defects import DEFECTS, overwritten
from specproof.conformance.defects.rules import residual
from specproof.conformance.problems.ladder import degenerate_problems, ladder
from specproof.conformance.strategies import pairs
from specproof.simulations.samplers.inversion import invert
from specproof.simulations.statistics import check_law
from specproof.theory.distribution import Array

LAW = next(entry.law for entry in DEFECTS if entry.name == "draft-law-overwritten")
TRIPLES = [
    ((0.6, 0.2, 0.2), (0.2, 0.3, 0.5)),
    ((0.88, 0.06, 0.06), (0.02, 0.38, 0.6)),
    ((0.1, 0.3, 0.6), (0.3, 0.6, 0.1)),
]


def replaced(draft, target):
    """By rejected token and emitted one."""
    return np.stack([overwritten.replaced(draft, target, token) for token in range(len(target))])


def rejected(target: Array) -> Array:
    """E [1 - q M]+ for M standard exponential."""
    with np.errstate(divide="ignore", over="ignore"):
        return 1.0 + target * np.expm1(-1.0 / target)


@given(pairs(tiny=False))
@example((np.array([1.0, 0.0]), np.array([1.0, 1e-300])))
@example((np.array([0.5, 0.3, 0.2]), np.array([1.0 - 2e-9, 1e-9, 1e-9])))
def test_what_is_rejected_is_replaced(pair):
    draft, target = pair
    mass = replaced(tuple(draft.tolist()), tuple(target.tolist()))
    assert (mass >= 0).all()
    np.testing.assert_allclose(mass.sum(axis=1), rejected(target), rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("draft", "target"), [((0.7, 0.3), (0.5, 0.5)), ((0.4, 0.6), (0.1, 0.9)), ((0.4, 0.6), (0, 1))]
)
def test_of_two_tokens_the_other_is_emitted_unless_it_came_early(draft, target):
    mass = replaced(draft, target)
    for x, y in ((0, 1), (1, 0)):
        q, total = target[x], rejected(np.array(target))[x]
        if target[y] == 0:
            early = total
        else:
            end = min(1 / q if q else np.inf, 1 / target[y])

            def integral(rate, q=q, end=end):
                """Of e^(-rate m) (1 - q m) from 0 to the end."""
                left = np.exp(-rate * end)
                return (1 - left) / rate - q * (1 - (1 + rate * end) * left) / rate**2

            early = integral(1.0) - np.exp(-draft[y] / target[y]) * integral(draft[x])
        assert mass[x] == pytest.approx([early * target[z] + (z == y) * (total - early) for z in range(2)], abs=1e-9)


def nodes(count: int) -> tuple[Array, Array]:
    """Of Gauss and Legendre over [0, 1], close together near 0."""
    places, weights = np.polynomial.legendre.leggauss(count)
    return ((places + 1) / 2) ** 4, 2 * ((places + 1) / 2) ** 3 * weights


def by_cubature(draft: Array, target: Array, x: int) -> Array:
    """The same probabilities of three tokens as an integral over the three times, with no transform."""
    others = [token for token in range(3) if token != x]
    places, weights = nodes(40)
    law = np.zeros(3)
    ends = np.unique([0.0, min(40.0, 1 / target[x]), *(1 / target[1 / target < min(40.0, 1 / target[x])])])
    steps = np.arange(-4.0, 4.0, 0.02)
    noise = np.exp(steps - np.exp(-steps))
    shares = 0.02 * noise * (1.0 + np.exp(-steps)) * np.exp(-noise)
    for low, high in pairwise(ends):
        for m, weight in zip(low + (high - low) * places, (high - low) * weights, strict=True):
            weight *= np.exp(-draft[x] * m) * (1 - target[x] * m)
            starts = [max(m, 1 / target[z]) for z in others]
            # q - 1/(t + noise/p), from which nothing cancels.
            excess = [
                (max(target[z] * m - 1, 0) + target[z] * noise / draft[z]) / (t + noise / draft[z])
                for z, t in zip(others, starts, strict=True)
            ]
            late = [np.exp(-draft[z] * t) for z, t in zip(others, starts, strict=True)]
            early = [np.exp(-draft[z] * m) - share for z, share in zip(others, late, strict=True)]
            first = shares @ (excess[0][:, np.newaxis] / np.add.outer(*excess)) @ shares
            both = late[0] * late[1]
            law[others[0]] += weight * (both * first + late[0] * early[1])
            law[others[1]] += weight * (both * (1 - first) + early[0] * late[1])
            law += weight * early[0] * early[1] * target
    return law


@pytest.mark.parametrize(("draft", "target"), TRIPLES)
def test_three_tokens_agree_with_an_integral_over_their_times(draft, target):
    mass = replaced(draft, target)
    for x in range(3):
        np.testing.assert_allclose(mass[x], by_cubature(np.array(draft), np.array(target), x), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("draft", "target"), [*TRIPLES, ((0.4, 0.3, 0.2, 0.1), (0.1, 0.0, 0.5, 0.4))])
def test_the_mechanism_replaces_as_often(draft, target):
    p, q = np.array(draft), np.array(target)
    size, rng = p.size, np.random.default_rng(3)
    divided = p / rng.standard_exponential((400_000, size))
    drafted = divided.argmax(axis=1)
    refused = rng.random(len(drafted)) >= q[drafted] / divided.max(axis=1)
    laws = residual(divided, np.broadcast_to(q, divided.shape), drafted)
    outcome = np.where(refused, invert(laws, rng.random(len(drafted))), size)
    law = p[:, np.newaxis] * np.concatenate([replaced(draft, target), 1 - rejected(q)[:, np.newaxis]], axis=1)
    assert not check_law(drafted * (size + 1) + outcome, law.reshape(-1), 1e-9).is_refuted


@pytest.mark.parametrize("name", [*ladder("generate"), *degenerate_problems("generate")])
def test_there_is_a_law_on_every_problem(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # quotients of a law of 1e-300 and less
        law = LAW({**ladder("generate"), **degenerate_problems("generate")}[name])
    assert (law >= 0).all()
    assert law.sum() == pytest.approx(1.0, abs=1e-12)
