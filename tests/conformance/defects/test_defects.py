"""The catalogue: laws against samplers, against the target, and against numbers worked out by hand."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from specproof.conformance.defects import DEFECTS, LOOKALIKES, Defect
from specproof.conformance.defects.block_verification import block_kernel
from specproof.conformance.defects.rules import Rule, emitted_law
from specproof.conformance.problems import ChainProblem, GenerateProblem, MultiProblem, Problem, RoundProblem
from specproof.conformance.problems.ladder import ladder
from specproof.simulations.statistics import check_law
from specproof.theory.chain import TabularModel

LEVEL = 1e-9
TRIALS = 40_000
DEPENDENT = "one-uniform-a-batch"
OF_A_BATCH = (DEPENDENT, "first-rows-temperature")
"""The trials of a batch depend on each other, so that their counts say little about the law of each."""
LAWFUL = (DEPENDENT, "row-seed-plus-step")
"""Each trial has the right law; what is wrong is how trials depend on each other."""
MALFORMED = (
    "emits-after-rejection",
    "padding-as-token",
    "padding-as-index",
    "unguarded-residual",
    "nothing-without-drafts",
    "padding-as-draft",
    "leaves-the-tree",
    "end-token-overlooked",
)
"""They break the contract, and have no law within it."""
WITH_LAW = [entry for entry in DEFECTS if entry.law is not None]
SLIGHT = ("inclusive-coarse-uniform",)
"""Biased by little more than the tokens that they emit and must not."""


def identity(defect: Defect) -> str:
    return f"{defect.contract}-{defect.name}"


def taken(defect: Defect, named: Mapping[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(defect.sampler).parameters
    return {name: value for name, value in named.items() if name in parameters}


def outcomes(defect: Defect, problem: Problem, rng: np.random.Generator) -> np.ndarray:
    if isinstance(problem, GenerateProblem):
        asked = problem.arguments(TRIALS, rng)
        texts = defect.sampler(*problem.positional(asked), rng, **taken(defect, problem.named(asked)))
        return problem.take_apart(problem.parse(texts, asked), rng).emitted
    if isinstance(problem, RoundProblem):
        request = problem.arguments(TRIALS, rng)
        return problem.outcomes(problem.parse(defect.sampler(*request, rng), request).tokens)
    inputs = problem.inputs(TRIALS, rng)
    emitted = defect.sampler(*inputs, rng, **taken(defect, problem.named(inputs)))
    return problem.outcomes(*emitted) if isinstance(problem, MultiProblem) else problem.outcomes(emitted)


def bias(defect: Defect, problem: Problem) -> float:
    return 0.5 * float(np.abs(problem.completed(defect.law(problem)) - problem.target_law).sum())


def single(draft: tuple[float, ...], target: tuple[float, ...]) -> ChainProblem:
    law = np.array(target)
    bonus = np.broadcast_to(law, (law.size, law.size))
    return ChainProblem(TabularModel([np.array(draft)]), TabularModel([law, bonus]))


@pytest.mark.parametrize(
    "defect",
    [entry for entry in (*WITH_LAW, *LOOKALIKES) if entry.name not in OF_A_BATCH],
    ids=identity,
)
def test_the_sampler_has_the_law(defect):
    problem = defect.problem
    law = defect.law(problem)
    assert law.sum() == pytest.approx(1.0, abs=1e-12)
    found = outcomes(defect, problem, np.random.default_rng(8))
    assert not check_law(found, law.reshape(-1), LEVEL).is_refuted


@pytest.mark.parametrize("entry", LOOKALIKES, ids=identity)
def test_lookalikes_are_exact_on_every_problem(entry):
    parameters = set(inspect.signature(entry.sampler).parameters)
    asked = [problem for problem in ladder(entry.contract).values() if problem.required <= parameters]
    assert max(bias(entry, problem) for problem in asked) < 1e-12


def test_what_breaks_the_contract_has_no_law_and_nothing_else_has_none():
    assert {entry.name for entry in (*DEFECTS, *LOOKALIKES) if entry.law is None} == set(MALFORMED)
    assert not any(entry.witness for entry in DEFECTS if entry.law is None)


@pytest.mark.parametrize("defect", WITH_LAW, ids=identity)
def test_defects_are_biased_on_their_witness_unless_they_show_elsewhere(defect):
    if defect.name in LAWFUL or not defect.witness:
        assert bias(defect, defect.problem) < 1e-12
    else:
        assert bias(defect, defect.problem) > (0.002 if defect.name in SLIGHT else 0.01)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("replaced-from-target", 0.1),
        ("residual-at-rejected-id", 0.05),
        ("residual-argmax", 0.1),
        ("always-accepted", 0.4),
        ("over-target-maximum", 0.07),
        ("equal-or-ratio", 0.08),
        ("inverted-ratio", 0.4),
        ("accepted-iff-larger", 0.2),
        ("accept-threshold", 0.2),
        ("blended-target", 0.2),
        ("uniform-inverts-residual", 0.1),
    ],
)
def test_one_draft_has_the_bias_worked_out_by_hand(name, expected):
    problem = single((0.6, 0.2, 0.2), (0.2, 0.3, 0.5))
    defect = next(entry for entry in DEFECTS if entry.name == name)
    assert bias(defect, problem) == pytest.approx(expected, abs=1e-12)


def test_a_residual_of_one_token_hides_a_uniform_used_twice():
    defect = next(entry for entry in DEFECTS if entry.name == "uniform-inverts-residual")
    assert bias(defect, single((0.5, 0.3, 0.2), (0.2, 0.3, 0.5))) < 1e-12


def test_block_verification_accepts_at_least_as_much_as_token_by_token():
    for problem in ladder("chain").values():
        lengths = []
        for kernel in (Rule().kernel, block_kernel):
            law = emitted_law(problem, kernel)
            ends = np.indices(law.shape).reshape(law.ndim, -1).astype(bool).sum(axis=0)
            lengths.append(float(ends @ law.reshape(-1)))
        assert lengths[1] >= lengths[0] - 1e-12


def test_names_are_unique_and_threads_are_named():
    names = [identity(entry) for entry in (*DEFECTS, *LOOKALIKES)]
    assert len(set(names)) == len(names)
    assert all("#" in thread for entry in DEFECTS for thread in entry.threads)


@pytest.mark.parametrize("name", ["mask-on-bonus-alone", "inclusive-coarse-uniform"])
def test_what_the_target_forbids_is_emitted(name):
    defect = next(entry for entry in DEFECTS if entry.name == name)
    problem = defect.problem
    assert problem.completed(defect.law(problem))[problem.target_law == 0].sum() > 1e-3


def test_a_target_without_memory_beyond_the_last_token_hides_what_is_not_counted():
    defect = next(entry for entry in DEFECTS if entry.name == "accepted-not-counted")
    assert bias(defect, ladder("generate")["three tokens"]) < 1e-12


@pytest.mark.parametrize("name", MALFORMED[:2])
def test_malformed_rows_are_malformed(name):
    defect = next(entry for entry in DEFECTS if entry.name == name)
    problem = ladder("chain")["two drafts, three tokens"]
    rng = np.random.default_rng(1)
    emitted = defect.sampler(*problem.inputs(1000, rng), rng)
    right = Rule().sampler(*problem.inputs(1000, np.random.default_rng(1)), np.random.default_rng(2))
    assert (right < 0).any()
    assert (emitted >= problem.num_tokens).any() or not (emitted[:, 1:-1] < 0).any()
