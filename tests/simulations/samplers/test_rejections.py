"""Runs over a horizon: against a loop on the same stream, and against exact laws.

Statistical tests: level 1e-8 each, 200,000 runs, deviations of 0.01 in any probability are seen with 0.99 (each test
asserts it). Seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import one_trial
import pytest
from chains import FLIP, chains, law_of

from specproof.simulations.samplers.rejections import (
    Runs,
    StepTables,
    simulate,
    simulate_histories,
    simulate_tables,
    step_tables,
)
from specproof.simulations.samplers.relaxed import uno_sampler
from specproof.simulations.statistics import Check, check_law
from specproof.theory.chain import MarkovChain, TabularModel, random_tabular_pair
from specproof.theory.errors import InvalidInput
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration
from specproof.theory.rejections import rejection_law

LEVEL, RUNS, RESOLUTION = 1e-8, 200_000, 0.01


def loop(draft: MarkovChain, target: MarkovChain, runs: int, rng: np.random.Generator) -> tuple[list, list]:
    """The algorithm as Yin et al. write it; a number to draw, one to judge, one to replace."""
    texts, flags = [], []
    for _ in range(runs):
        text, rejected = [], []
        for position in range(1, target.horizon + 1):
            last = text[-1] if text else 0
            proposal, law = law_of(draft, position, last).tolist(), law_of(target, position, last).tolist()
            token = one_trial.invert(proposal, rng.random())
            rejected.append(not rng.random() < min(1.0, law[token] / proposal[token]))
            if rejected[-1]:
                left = [q - p for p, q in zip(proposal, law, strict=True)]
                token = one_trial.invert(one_trial.replacement(left, law), rng.random())
            text.append(token)
        texts.append(text)
        flags.append(rejected)
    return texts, flags


@pytest.mark.parametrize("name", chains())
def test_compiled_runs_are_the_loop_on_the_same_stream(name: str) -> None:
    draft, target = chains()[name]
    found = simulate(draft, target, 400, np.random.default_rng(53))
    texts, flags = loop(draft, target, 400, np.random.default_rng(53))
    assert found.tokens.tolist() == texts
    assert found.rejected.tolist() == flags


def text_check(runs: Runs, law: np.ndarray) -> Check:
    check = check_law(np.ravel_multi_index(tuple(runs.tokens.T), law.shape), law.reshape(-1), LEVEL)
    assert check.detectable <= RESOLUTION
    return check


@pytest.mark.parametrize("name", chains())
def test_texts_and_rejections_have_their_exact_laws(name: str) -> None:
    draft, target = chains()[name]
    runs = simulate(draft, target, RUNS, np.random.default_rng(54))
    assert not text_check(runs, target.tabulate().joint()).is_refuted
    counts = check_law(runs.rejected.sum(axis=1), rejection_law(draft, target), LEVEL)
    assert counts.detectable <= RESOLUTION
    assert not counts.is_refuted


def test_a_token_and_its_rejection_have_their_joint_law() -> None:
    """Accepted with probability min(p, q) and rejected with [q - p]+: p = (3/4, 1/4), q = (1/4, 3/4)."""
    runs = simulate(*chains()["one position"], RUNS, np.random.default_rng(55))
    check = check_law(2 * runs.tokens[:, 0] + runs.rejected[:, 0], np.array([0.25, 0.0, 0.25, 0.5]), LEVEL)
    assert not check.is_refuted


def histories() -> dict[str, tuple[TabularModel, TabularModel]]:
    draft, target = random_tabular_pair(3, 3, np.random.default_rng(56))
    sparse = {name: tuple(model.tabulate() for model in chains()[name]) for name in ("sparse target", "sparse draft")}
    return {"random": (draft, target), "equal": (target, target), **sparse}  # type: ignore[dict-item]


@pytest.mark.parametrize("name", histories())
def test_with_a_whole_history_texts_and_rejections_have_their_exact_laws(name: str) -> None:
    draft, target = histories()[name]
    runs = simulate_histories(draft, target, RUNS, np.random.default_rng(57))
    assert not text_check(runs, target.joint()).is_refuted
    counts = check_law(runs.rejected.sum(axis=1), runs_by_enumeration(draft, target).rejections, LEVEL)
    assert counts.detectable <= RESOLUTION
    assert not counts.is_refuted


def test_with_a_whole_history_a_biased_rule_is_seen() -> None:
    draft, target = histories()["random"]
    runs = simulate_histories(draft, target, RUNS, np.random.default_rng(58), uno_sampler(0.0))
    assert text_check(runs, target.joint()).is_refuted


def test_one_position_and_one_token_are_a_history_too() -> None:
    one = TabularModel([[1.0]])
    runs = simulate_histories(one, one, 5, np.random.default_rng(59))
    assert (runs.tokens.tolist(), runs.rejected.tolist()) == ([[0]] * 5, [[False]] * 5)


def test_a_chain_is_not_a_history() -> None:
    draft, target = chains()["equal"]
    with pytest.raises(InvalidInput, match="MarkovChain: this takes a TabularModel each"):
        simulate_histories(draft, target, 5, np.random.default_rng(60))  # type: ignore[arg-type]


def mutants() -> dict[str, StepTables]:
    draft, target = chains()["non-stationary"]
    tables = step_tables(draft, target)
    swapped = step_tables(target, draft)
    return {
        "resamples from the target": tables._replace(residual=swapped.draft),
        "resamples from the draft": tables._replace(residual=tables.draft),
        "residual the wrong way round": tables._replace(residual=swapped.residual),
        "accepts everything": tables._replace(accept=np.ones_like(tables.accept)),
        "acceptance of the other direction": tables._replace(accept=swapped.accept),
        "drafts from the target": tables._replace(draft=swapped.draft),
        "residual of the first step throughout": tables._replace(residual=np.repeat(tables.residual[:1], 4, axis=0)),
    }


@pytest.mark.parametrize("name", mutants())
def test_mutants_are_refuted(name: str) -> None:
    runs = simulate_tables(mutants()[name], 4, RUNS, np.random.default_rng(56))
    assert text_check(runs, chains()["non-stationary"][1].tabulate().joint()).is_refuted


def test_tables_close_at_the_last_token_of_positive_weight() -> None:
    draft = MarkovChain([0.25, 0.75, 0.0], np.eye(3), 2)
    target = MarkovChain([0.5, 0.5, 0.0], np.eye(3), 2)
    tables = step_tables(draft, target)
    assert tables.draft[0, 0].tolist() == [0.25, np.inf, np.inf]
    assert tables.accept[0, 0].tolist() == [1.0, 2 / 3, 0.0]
    assert tables.residual[0, 0].tolist() == [np.inf, np.inf, np.inf]


@pytest.mark.parametrize("runs", [0, -1, 1.5, True, "10", None])
def test_runs_are_counted_by_positive_integers(runs: object) -> None:
    chain, _ = chains()["equal"]
    table, rng = chain.tabulate(), np.random.default_rng(60)
    calls: list[Callable[[], object]] = [
        lambda: simulate(chain, chain, runs, rng),  # type: ignore[arg-type]
        lambda: simulate_histories(table, table, runs, rng),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(InvalidInput, match=f"runs is {runs!r}: it must be an integer >= 1"):
            call()


def test_a_history_is_not_a_chain() -> None:
    table = chains()["equal"][0].tabulate()
    with pytest.raises(InvalidInput, match="of kind TabularModel: this takes a MarkovChain each"):
        simulate(table, table, 5, np.random.default_rng(60))  # type: ignore[arg-type]


def test_chains_of_different_size_are_refused() -> None:
    short, long = (MarkovChain([0.5, 0.5], FLIP, horizon) for horizon in (2, 3))
    with pytest.raises(InvalidInput, match="horizon 2 and target 3"):
        simulate(short, long, 1, np.random.default_rng(57))
