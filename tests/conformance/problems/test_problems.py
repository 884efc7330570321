"""Problems: the inputs follow the draft, what is completed follows the target, and the laws agree with each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from specproof.conformance import check_sampler
from specproof.conformance.problems import (
    ChainProblem,
    Contract,
    GenerateProblem,
    MultiProblem,
    Problem,
    next_token_law,
)
from specproof.conformance.problems.ladder import degenerate_problems, ladder
from specproof.conformance.strategies import chain_problems, problems
from specproof.simulations.statistics import check_law
from specproof.theory.chain import MarkovChain, TabularModel
from specproof.theory.errors import InvalidInput
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration
from specproof.theory.verifiers import VERIFIERS

LEVEL = 1e-9
"""Of each statistical test here; with 50,000 draws a deviation of 0.02 in an outcome is seen."""
DRAWS = 50_000
CHAIN: Any = MarkovChain([0.6, 0.4], [[0.5, 0.5], [0.1, 0.9]], 2)
MODEL = CHAIN.tabulate()


def listed() -> list[Any]:
    named = [(c, n, p) for c in Contract for n, p in {**ladder(c), **degenerate_problems(c)}.items()]
    return [pytest.param(problem, id=f"{contract}: {name}") for contract, name, problem in named]


@pytest.mark.parametrize("problem", listed())
def test_every_listed_problem_has_laws_of_mass_one(problem: Problem) -> None:
    for law in (problem.target_law, problem.draft_law):
        assert law.sum() == pytest.approx(1, abs=1e-12)
    assert problem.describe()


@pytest.mark.parametrize("contract", Contract)
def test_no_token_of_the_ladder_is_impossible_and_shapes_come_in_groups(contract: str) -> None:
    shapes = [problem.shape for problem in ladder(contract).values() if problem.batched is not None]
    usual = [problem for problem in ladder(contract).values() if not problem.required]
    last = [problem.target_law.sum(axis=tuple(range(problem.target_law.ndim - 1))) for problem in usual]
    possible = [(problem.target_law > 0).sum() / (law > 0).sum() for problem, law in zip(usual, last, strict=True)]
    before = [problem.target_law[..., 0].size for problem in usual]  # few may come last
    assert possible == before
    assert all((problem.target_law > 0).all() for problem in usual if problem.target_law.ndim == 1)
    assert all(shapes.count(shape) > 1 for shape in shapes), "a batch of several problems needs two of one shape"


@pytest.mark.parametrize("name", [name for name, problem in ladder("chain").items() if not problem.unusual])
def test_chain_inputs_are_drawn_from_the_draft_with_the_rows_along_their_path(name: str) -> None:
    problem = ladder("chain")[name]
    assert isinstance(problem, ChainProblem)
    inputs = problem.inputs(DRAWS, np.random.default_rng(1))
    numbers = np.ravel_multi_index(tuple(inputs.draft_tokens.T), (problem.num_tokens,) * problem.length)
    assert not check_law(numbers, problem.draft.joint().reshape(-1), LEVEL).is_refuted
    for position in range(problem.length + 1):
        prefix = inputs.draft_tokens[:, :position]
        np.testing.assert_array_equal(inputs.target_probs[:, position], next_token_law(problem.target, prefix))
        if position < problem.length:
            np.testing.assert_array_equal(inputs.draft_probs[:, position], next_token_law(problem.draft, prefix))


def test_completion_draws_what_is_missing_from_the_target() -> None:
    problem = ladder("chain")["three drafts, whole history"]
    assert isinstance(problem, ChainProblem)
    first = np.random.default_rng(2).choice(2, size=DRAWS, p=problem.target.conditionals[0])
    emitted = np.full((DRAWS, 4), -1)
    emitted[:, 0] = first
    numbers = problem.complete(emitted, np.random.default_rng(3))
    assert not check_law(numbers, problem.target_law.reshape(-1), LEVEL).is_refuted
    assert check_law(numbers, problem.draft_law.reshape(-1), LEVEL).is_refuted


@given(problem=chain_problems())
def test_the_exact_algorithm_completes_to_the_target(problem: ChainProblem) -> None:
    # The algorithm enumerated on the drafted positions is lossless, so its completed law must be the target's.
    prefix = TabularModel(problem.target.conditionals[:-1])
    output = runs_by_enumeration(problem.draft, prefix).output
    law = np.zeros(problem.emitted_shape)
    law[(slice(1, None),) * problem.length + (0,)] = output
    np.testing.assert_allclose(problem.completed(law), problem.target_law, atol=1e-12)


@given(problem=chain_problems())
def test_accepting_everything_completes_to_the_draft_law(problem: ChainProblem) -> None:
    law = np.zeros(problem.emitted_shape)
    law[(slice(1, None),) * (problem.length + 1)] = problem.draft_law
    np.testing.assert_allclose(problem.completed(law), problem.draft_law, atol=1e-12)


@settings(max_examples=20)  # each is one of every verifier
@given(problem=problems("multi"))
def test_the_law_of_every_verifier_completes_to_the_target_within_the_bound(problem: MultiProblem) -> None:
    for verifier in VERIFIERS.values():
        exact = verifier.law(problem.draft, problem.target, problem.num_drafts)
        emitted = np.stack([(1 - exact.acceptance) * exact.residual, exact.accepted])
        np.testing.assert_allclose(problem.completed(emitted), problem.target_law, atol=1e-9)
        assert exact.acceptance <= problem.acceptance_bounds[0] + 1e-9


@given(problem=problems())
def test_a_description_of_any_problem_is_short_and_readable(problem: Problem) -> None:
    assert "draft" in problem.describe()
    assert "nan" not in problem.describe()
    assert problem.contract in repr(problem)


def test_what_a_position_does_not_depend_on_is_left_out_of_its_description() -> None:
    problem = ladder("chain")["three tokens"]
    assert "x1: (3/5, 1/5, 1/5)" in problem.describe()
    assert "x2 | x1=0: (1/2, 2/5, 1/10)" in problem.describe()
    assert "|" not in ladder("chain")["two drafts, no memory"].describe()


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: ChainProblem(MODEL, MODEL), "target has horizon 2"),
        (lambda: ChainProblem(TabularModel([[1.0]]), MODEL), "draft has 1 tokens"),
        (lambda: MultiProblem([0.5, 0.5], [0.5, 0.6], 2), "target sums"),
        (lambda: MultiProblem([[0.5, 0.5]], [[0.5, 0.5]], 2), "draft has shape"),
        (lambda: MultiProblem([0.5, 0.5], [0.5, 0.5], 0), "num_drafts"),
        (lambda: GenerateProblem(MODEL, MODEL, (2,), 1), r"prompt\[0\] is 2"),
        (lambda: GenerateProblem(MODEL, MODEL, (0,), 0), "length is 0"),
        (lambda: GenerateProblem(MODEL, MODEL, (0,), 2), "draft has horizon 2"),
        (lambda: GenerateProblem(MODEL, MODEL, (-1,), 1), r"prompt\[0\] is -1"),
        (lambda: GenerateProblem(MODEL, MODEL, (0.5,), 1), r"prompt\[0\] is 0.5"),
        (lambda: GenerateProblem(MODEL, MODEL, 0, 1), "prompt is 0: give a tuple"),
        (lambda: GenerateProblem(MODEL, MODEL, (), 1.5), "length is 1.5"),
        (lambda: GenerateProblem(MODEL, CHAIN, (), 1), "target is a MarkovChain: give a TabularModel"),
        (lambda: ChainProblem(CHAIN, CHAIN), "draft is a MarkovChain: give a TabularModel"),
    ],
)
def test_what_is_no_problem_is_refused(make: Any, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        make()


@pytest.mark.parametrize("prompt", [[1], np.array([1]), (np.int64(1),)])
def test_a_prompt_may_be_any_sequence(prompt: Any) -> None:
    problem = GenerateProblem(MODEL, MODEL, prompt, 1)
    assert (problem.prompt, type(problem.prompt[0])) == ((1,), int)
    np.testing.assert_array_equal(problem.target_law, [0.1, 0.9])


@pytest.mark.parametrize(
    "tokens", [[[1], [0]], np.array([[1], [0]], np.uint8), np.array([[1, 7], [0, 7]])[:, :1], ((1,), (0,))]
)
def test_the_next_token_s_law_is_that_after_each_row(tokens: Any) -> None:
    np.testing.assert_array_equal(next_token_law(MODEL, tokens), [[0.1, 0.9], [0.5, 0.5]])


@pytest.mark.parametrize("tokens", [[[], []], np.empty((2, 0), int)])
def test_before_the_first_token_all_rows_are_alike(tokens: Any) -> None:
    np.testing.assert_array_equal(next_token_law(MODEL, tokens), [[0.6, 0.4]] * 2)


@pytest.mark.parametrize(
    ("tokens", "named"),
    [
        ([[0], [-1]], r"tokens\[1, 0\] is -1: tokens are 0\.\.1, and what pads a text is none"),
        ([[0, 0, 0], [0, 0, -1]], r"tokens\[1, 2\] is -1"),  # past the horizon
        ([[7]], r"tokens\[0, 0\] is 7"),
        (np.array([[2**64 - 1]], np.uint64), r"tokens\[0, 0\] is 18446744073709551615"),
        ([0], r"tokens has shape \(1,\): give one text a row"),
        (0, r"tokens has shape \(\)"),
        ([[0.5]], "tokens has dtype float64"),
        ([[True]], "tokens has dtype bool"),
        ([[0], [0, 1]], "tokens is not an array"),
    ],
)
def test_what_is_no_text_has_no_next_token(tokens: Any, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        next_token_law(MODEL, tokens)


def test_what_is_no_table_has_no_next_token() -> None:
    with pytest.raises(InvalidInput, match="model is a MarkovChain: give a TabularModel"):
        next_token_law(CHAIN, [[0]])


def test_a_loop_that_feeds_its_padding_is_told_so() -> None:
    def feeds(draft: Any, target: Any, prompt: Any, length: int, n: int, rng: Any) -> Any:
        return next_token_law(target, np.full((n, 1), -1)).argmax(axis=1)

    report = check_sampler(feeds, "generate")
    assert report.verdict == "crashes"
    assert "tokens[0, 0] is -1" in report.reason


def test_past_the_horizon_every_token_is_as_likely() -> None:
    np.testing.assert_array_equal(next_token_law(MODEL, np.zeros((3, 2), int)), np.full((3, 2), 0.5))
    np.testing.assert_array_equal(next_token_law(MODEL, np.zeros((1, 9), int)), np.full((1, 2), 0.5))


def test_a_prompt_s_first_token_and_old_tokens_matter_somewhere() -> None:
    whole = ladder("generate")["whole history"]
    assert isinstance(whole, GenerateProblem)
    other = GenerateProblem(whole.draft, whole.target, (0, *whole.prompt[1:]), whole.length)
    assert 0.5 * np.abs(whole.target_law - other.target_law).sum() > 0.05
    last = whole.target.conditionals[4][1, 0]  # given the two generated tokens
    assert np.abs(last[0] - last[1]).max() > 0.05
