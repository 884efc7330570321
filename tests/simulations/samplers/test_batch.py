"""Runs with batches of drafts: against a loop on the same stream, and against exact laws.

Statistical tests: level 1e-8 each, 200,000 runs, deviations of 0.01 in any probability are seen with 0.99 (each test
asserts it). Seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import one_trial
import pytest
from chains import FLIP, chains, law_of

from specproof.simulations.samplers import rejections
from specproof.simulations.samplers.batch import BatchTables, batch_tables, simulate, simulate_tables
from specproof.simulations.samplers.inversion import cumulative_shares
from specproof.simulations.samplers.rejections import Runs
from specproof.simulations.statistics import Check, check_law
from specproof.theory.chain import MarkovChain, random_markov_pair
from specproof.theory.errors import InvalidInput
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration

LEVEL, RUNS, RESOLUTION = 1e-8, 200_000, 0.01


def verify(proposal: list[float], law: list[float], num_drafts: int, rng: np.random.Generator) -> tuple[int, bool]:
    """The emitted token, and whether all drafts failed; two numbers for each draft tried, one to replace them."""
    left, share = law, 1.0
    for _ in range(num_drafts):
        token = one_trial.invert(proposal, rng.random())
        if rng.random() < min(1.0, left[token] / (share * proposal[token])):
            return token, False
        left = [max(u - share * p, 0.0) for p, u in zip(proposal, left, strict=True)]
        share = float(np.sum(left))
    return one_trial.invert(one_trial.replacement(left, law), rng.random()), True


def loop(
    draft: MarkovChain, target: MarkovChain, num_drafts: int, runs: int, rng: np.random.Generator
) -> tuple[list[list[int]], list[list[bool]]]:
    """The algorithm as Yin et al. write it: a batch at the start and after a rejection, else a lone draft."""
    texts, flags = [], []
    for _ in range(runs):
        text: list[int] = []
        rejected: list[bool] = []
        for position in range(1, target.horizon + 1):
            last, fresh = (text[-1], rejected[-1]) if text else (0, True)
            proposal, law = law_of(draft, position, last).tolist(), law_of(target, position, last).tolist()
            token, failed = verify(proposal, law, num_drafts if fresh else 1, rng)
            text.append(token)
            rejected.append(failed)
        texts.append(text)
        flags.append(rejected)
    return texts, flags


@pytest.mark.parametrize("num_drafts", [1, 2, 5])
@pytest.mark.parametrize("name", chains())
def test_compiled_runs_are_the_loop_on_the_same_stream(name: str, num_drafts: int) -> None:
    draft, target = chains()[name]
    found = simulate(draft, target, num_drafts, 400, np.random.default_rng(71))
    texts, flags = loop(draft, target, num_drafts, 400, np.random.default_rng(71))
    assert found.tokens.tolist() == texts
    assert found.rejected.tolist() == flags


@pytest.mark.parametrize("name", chains())
def test_one_draft_is_the_sampler_of_single_drafts(name: str) -> None:
    found = simulate(*chains()[name], 1, 400, np.random.default_rng(72))
    known = rejections.simulate(*chains()[name], 400, np.random.default_rng(72))
    assert np.array_equal(found.tokens, known.tokens)
    assert np.array_equal(found.rejected, known.rejected)


def text_check(runs: Runs, law: np.ndarray) -> Check:
    check = check_law(np.ravel_multi_index(tuple(runs.tokens.T), law.shape), law.reshape(-1), LEVEL)
    assert check.detectable <= RESOLUTION
    return check


def count_check(runs: Runs, law: np.ndarray) -> Check:
    check = check_law(runs.rejected.sum(axis=1), law, LEVEL)
    assert check.detectable <= RESOLUTION
    return check


@pytest.mark.parametrize("num_drafts", [2, 4])
@pytest.mark.parametrize("name", chains())
def test_texts_and_rejections_have_their_exact_laws(name: str, num_drafts: int) -> None:
    draft, target = chains()[name]
    runs = simulate(draft, target, num_drafts, RUNS, np.random.default_rng(73))
    exact = runs_by_enumeration(draft.tabulate(), target.tabulate(), num_drafts)
    assert not text_check(runs, target.tabulate().joint()).is_refuted
    assert not count_check(runs, np.clip(exact.rejections, 0.0, 1.0)).is_refuted


TELLING = tuple(MarkovChain(law, [law] * 3, 4) for law in ([0.7, 0.25, 0.05], [0.05, 0.5, 0.45]))
"""1, 2 and 3 drafts leave (0, 5, 8)/13, (0, 5, 21)/26 and (0, 0, 1): every mutant below is far from the target."""


def mutants() -> dict[str, BatchTables]:
    draft, target = TELLING
    tables, single = batch_tables(draft, target, 3), rejections.step_tables(draft, target)
    law = rejections.step_tables(target, target).draft
    return {
        "a failed batch is resampled from the target": tables._replace(residual=law),
        "a failed batch is resampled from the residual of one draft": tables._replace(residual=single.residual),
        "a failed batch is resampled from the residual of one draft too few": tables._replace(
            residual=batch_tables(draft, target, 2).residual
        ),
        "all drafts of a batch are tried against the target": tables._replace(
            accept=np.repeat(tables.accept[:1], 3, axis=0)
        ),
        "drafts of a batch are tried in the wrong order": tables._replace(accept=tables.accept[::-1].copy()),
        "a lone draft is resampled as a batch is": tables._replace(single=single._replace(residual=tables.residual)),
        "a lone draft is resampled from the target": tables._replace(single=single._replace(residual=law)),
        "a lone draft is always accepted": tables._replace(single=single._replace(accept=np.ones_like(single.accept))),
    }


@pytest.mark.parametrize("name", mutants())
def test_mutants_are_refuted(name: str) -> None:
    runs = simulate_tables(mutants()[name], 4, RUNS, np.random.default_rng(74))
    assert text_check(runs, TELLING[1].tabulate().joint()).is_refuted


def test_the_sampler_that_the_mutants_are_of_is_not_refuted() -> None:
    runs = simulate(*TELLING, 3, RUNS, np.random.default_rng(74))
    assert not text_check(runs, TELLING[1].tabulate().joint()).is_refuted


def test_counts_of_other_batches_are_refuted() -> None:
    """Lossless all of them, so that only their rejections tell them apart."""
    draft, target = chains()["non-stationary"]
    exact = runs_by_enumeration(draft.tabulate(), target.tabulate(), 3).rejections
    for num_drafts in (1, 2, 4):
        runs = simulate(draft, target, num_drafts, RUNS, np.random.default_rng(75))
        assert count_check(runs, exact).is_refuted


def test_tables_by_hand() -> None:
    """p = (1/2, 1/4, 1/4), q = (0, 1/4, 3/4): q^2 is token 2, so that the second draft is accepted if it is that."""
    draft, target = (MarkovChain(law, np.empty((0, 3, 3))) for law in ([0.5, 0.25, 0.25], [0.0, 0.25, 0.75]))
    tables = batch_tables(draft, target, 2)
    assert tables.accept[:, 0, 0].tolist() == [[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    assert tables.residual[0, 0].tolist() == cumulative_shares(np.array([0.0, 0.0, 1.0])).tolist()


@pytest.mark.parametrize("num_drafts", [1, 3])
def test_equal_chains_accept_every_draft_however_their_rows_are_rounded(num_drafts: int) -> None:
    chain, _ = random_markov_pair(7, 20, np.random.default_rng(77))
    assert (chain.transitions.sum(axis=-1) > 1.0).any()
    assert np.all(batch_tables(chain, chain, num_drafts).accept[0] == 1.0)


def test_bad_arguments_are_refused() -> None:
    short, long = (MarkovChain([0.5, 0.5], FLIP, horizon) for horizon in (2, 3))
    wide = MarkovChain([1.0, 0.0, 0.0], np.eye(3), 2)
    rng = np.random.default_rng(76)
    with pytest.raises(InvalidInput, match="horizon 2 and target 3"):
        simulate(short, long, 2, 1, rng)
    with pytest.raises(InvalidInput, match="num_states 2 and target 3"):
        simulate(short, wide, 2, 1, rng)
    table = short.tabulate()
    with pytest.raises(InvalidInput, match="of kind TabularModel: this takes a MarkovChain each"):
        simulate(table, table, 2, 1, rng)  # type: ignore[arg-type]
    for runs in (0, -1, 1.5, True):
        with pytest.raises(InvalidInput, match=f"runs is {runs}: it must be an integer >= 1"):
            simulate(short, short, 2, runs, rng)  # type: ignore[arg-type]
    for count in (0, -1, 1.5, True):
        with pytest.raises(InvalidInput, match=f"num_drafts is {count}"):
            simulate(short, short, count, 1, rng)
