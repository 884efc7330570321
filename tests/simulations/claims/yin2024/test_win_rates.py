"""Win rates of texts whose laws are known: what the estimates average, and what they say of their own resolution."""

from __future__ import annotations

import functools
import math

import numpy as np
import pandas as pd
import pytest

from specproof.simulations.claims.yin2024.coupled_texts import LOGS
from specproof.simulations.claims.yin2024.over_acceptance import EPSILONS, LAWS
from specproof.simulations.claims.yin2024.win_rates import EVEN, win_rates
from specproof.theory.distribution import Array, dirichlet
from specproof.theory.win_rate import win_rate

TEXTS, PROMPTS, COPIES, FEW = 5, 2000, 2, 40
SCORES = np.array([3.0, -1.0, 3.0, 0.5, np.inf])


@functools.cache
def sampled() -> tuple[pd.DataFrame, Array]:
    """Pairs of texts of one token from common uniforms, so that some are the same; all prompts have the same laws."""
    rng = np.random.default_rng(9)
    laws = dirichlet(TEXTS, 1.0, rng, len(LAWS))
    rows = []
    for number, epsilon in enumerate(EPSILONS):
        uniforms = rng.random((PROMPTS, COPIES))
        opt, uno = (np.searchsorted(laws[2 * number + each].cumsum()[:-1], uniforms, side="right") for each in (0, 1))
        for (prompt, copy), one in np.ndenumerate(opt):
            other = uno[prompt, copy]
            both = [(one, True, True)] if one == other else [(one, True, False), (other, False, True)]
            rows += [(prompt, epsilon, copy, *each) for each in both]
    table = pd.DataFrame(rows, columns=["prompt", "epsilon", "copy", "token", "opt", "uno"]).assign(pair="p")
    logs = pd.DataFrame(np.log(laws.T), columns=LOGS[-len(LAWS) :])
    return table.join(logs, on="token"), laws


def rates(texts: pd.DataFrame, scores: Array = SCORES) -> pd.DataFrame:
    judged = texts.assign(judge="mine", score=scores[texts["token"]])
    keys = ["pair", "prompt", "epsilon", "copy", "opt", "uno", "judge", "score"]
    found = pd.DataFrame(win_rates(pd.DataFrame(), texts, judged[keys]))
    return found.set_index(["compared", "epsilon"])


@pytest.mark.slow
def test_independent_texts_are_compared_without_bias_from_coupled_ones() -> None:
    """2000 prompts of one law: the mean is within four standard errors of the exact win rate, each below 0.007."""
    texts, laws = sampled()
    found = rates(texts)
    for number, epsilon in enumerate(EPSILONS):
        row = found.loc[("independent texts", epsilon)]
        exact = float(win_rate(laws[2 * number], laws[2 * number + 1], SCORES))
        error = (row["high"] - row["mean"]) / 1.96
        assert error < 0.007
        assert abs(row["mean"] - exact) < 4 * error
    assert abs(found.loc["independent texts"]["mean"] - EVEN).max() > 0.1, "equal laws would show nothing"


def test_coupled_texts_are_compared_pair_by_pair() -> None:
    texts, _ = sampled()
    texts = texts[texts["prompt"] < FEW]
    own = texts[texts["epsilon"] == 0.1]
    opt, uno = (own[own[rule]].set_index(["prompt", "copy"])["token"].sort_index() for rule in ("opt", "uno"))
    won = np.where(SCORES[opt] == SCORES[uno], 0.5, SCORES[opt] > SCORES[uno])
    row = rates(texts).loc[("coupled texts", 0.1)]
    assert row["mean"] == pytest.approx(won.mean(), abs=1e-12)
    assert (row["number"], row["prompts"]) == (COPIES * FEW, FEW)


def test_a_judge_who_sees_no_difference_leaves_it_even() -> None:
    texts, _ = sampled()
    found = rates(texts[texts["prompt"] < FEW], np.zeros(TEXTS))
    assert (found["mean"] == 0.5).all()
    assert not found["resolved"].any()
    assert (found["times_the_text"] == math.inf).all(), "no amount of text would tell"


def test_what_is_not_resolved_says_how_much_text_would_do() -> None:
    """So many times the prompts shrink the interval, at the same mean, to where it touches one half."""
    texts, _ = sampled()
    few = rates(texts[texts["prompt"] < FEW])
    arm, ahead = few["high"] - few["mean"], (few["mean"] - 0.5).abs()
    assert not few["resolved"].all()
    np.testing.assert_allclose(few["times_the_text"], (arm / ahead) ** 2, rtol=1e-9)
    assert ((few["times_the_text"] > 1) != few["resolved"]).all()
    assert (few["detectable"] > 1.8 * arm).all(), "a difference seen with 0.99 is nearly two half-widths"
