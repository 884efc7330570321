"""What is exact in a context: what each law gives a token, and who wins the next one."""

from __future__ import annotations

import numpy as np
import pytest

from specproof.simulations.claims.yin2024.over_acceptance import (
    LAWS,
    RULES,
    Writer,
    exact_in_context,
    log_probabilities,
)
from specproof.theory.distribution import Array, dirichlet
from specproof.theory.relaxed import decoding_opt, decoding_uno

ROUNDING = 1e-13
EXACT = {"opt": decoding_opt, "uno": decoding_uno}


def contexts() -> tuple[Array, Array]:
    rng = np.random.default_rng(8)
    draft, target = dirichlet(6, 0.5, rng, 200), dirichlet(6, 0.5, rng, 200)
    target[::9] = draft[::9]
    draft[::5, 3] = 0.0
    draft /= draft.sum(axis=-1, keepdims=True)
    return draft, target


def exact(epsilon: float) -> dict[str, Array]:
    draft, target = contexts()
    return exact_in_context(draft, target, np.full(len(draft), epsilon))


@pytest.mark.parametrize("token", range(6))
def test_a_token_has_what_each_law_gives_it(token: int) -> None:
    draft, target = contexts()
    found = np.exp(log_probabilities(draft, target, np.full(len(draft), token)))
    np.testing.assert_allclose(found[:, 0], target[:, token], rtol=ROUNDING)
    np.testing.assert_allclose(found[:, 1], draft[:, token], rtol=ROUNDING)
    for column, (rule, epsilon) in enumerate(LAWS, 2):
        expected = EXACT[rule](draft, target, epsilon).output[:, token]
        np.testing.assert_allclose(found[:, column], expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("epsilon", [0.1, 0.4])
def test_the_next_token_is_compared_by_the_sum_over_all_pairs(epsilon: float) -> None:
    draft, target = contexts()
    found, opt, uno = exact(epsilon), decoding_opt(draft, target, epsilon), decoding_uno(draft, target, epsilon)
    with np.errstate(divide="ignore"):
        scores = {"likelihood": target, "ratio": target / draft}
    for name, score in scores.items():
        ahead = np.sign(
            np.subtract(score[:, :, None] > score[:, None, :], score[:, :, None] < score[:, None, :], dtype=float)
        )
        rate = 0.5 + 0.5 * np.einsum("ni,nj,nij->n", opt.output, uno.output, ahead)
        np.testing.assert_allclose(found[f"win_{name}"], rate, rtol=0, atol=ROUNDING)
    gain = ((opt.output - uno.output) * np.log(target)).sum(axis=-1)
    np.testing.assert_allclose(found["gain_likelihood"], gain, rtol=0, atol=1e-12)


@pytest.mark.parametrize("epsilon", [0.1, 0.2, 0.4])
def test_judged_by_the_ratio_the_optimal_rule_is_never_behind_and_judged_by_likelihood_it_may_be(
    epsilon: float,
) -> None:
    found = exact(epsilon)
    assert found["win_ratio"].min() >= 0.5 - ROUNDING
    assert found["win_ratio"].max() > 0.51
    assert found["gain_ratio"].min() >= -ROUNDING
    assert found["win_likelihood"].min() < 0.49, "plain likelihood does not reward being faithful"


def test_each_writer_has_another_that_over_accepts_as_much() -> None:
    for rule in RULES:
        writer = Writer(rule, 0.2)
        assert writer.other.rule != rule
        assert (writer.other.epsilon, writer.other.other) == (0.2, writer)
