"""The contract tree: what a verifier is handed, what a well-formed answer is, and what is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_budgets import QUICK

from specproof.conformance import Tree, TreeProblem, Unsupported, Verdict, check_sampler
from specproof.conformance.defects import DEFECTS
from specproof.conformance.defects.tree_rules import TreeRule, every_tree
from specproof.conformance.problems.drawing import steps_down
from specproof.conformance.problems.ladder import ladder
from specproof.conformance.tree_references import level_by_level, recursive_on_tree, walk_by_target
from specproof.theory.chain import TabularModel
from specproof.theory.errors import InvalidInput

MODEL = TabularModel([[0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]]])


@pytest.mark.parametrize("name", list(ladder("tree")))
def test_trees_are_drawn_as_they_say(name: str) -> None:
    problem = ladder("tree")[name]
    assert isinstance(problem, TreeProblem)
    inputs = problem.inputs(20_000, np.random.default_rng(1))
    weights, trees = every_tree(problem)
    assert weights.sum() == pytest.approx(1)
    base = problem.num_tokens ** np.arange(len(problem.parents))
    known = dict(zip((trees + 1) @ (base * 2), weights, strict=True))
    numbers, counts = np.unique((inputs.tree.tokens + 1) @ (base * 2), return_counts=True)
    seen = {number: count / 20_000 for number, count in zip(numbers, counts, strict=True)}
    assert max(abs(seen.get(number, 0) - weight) for number, weight in known.items()) < 0.02
    assert set(seen) <= set(known)


def test_the_two_likeliest_siblings_of_a_ratio_test_emit_what_was_worked_out_by_hand() -> None:
    defect = next(entry for entry in DEFECTS if entry.name == "certain-siblings-by-ratio")
    problem = ladder("tree")["certain, two siblings, no memory"]
    assert defect.law is not None
    first = problem.completed(defect.law(problem)).sum(axis=1)
    np.testing.assert_allclose(first, [1 / 3, 2 / 3, 0], atol=1e-12)


@pytest.mark.slow
def test_a_right_walk_passes_and_a_rule_for_independent_siblings_says_what_it_left_out() -> None:
    assert check_sampler(walk_by_target, "tree", budget=QUICK).is_lossless

    def kseq(tree: Tree, target_probs: Any, draft_probs: Any, rng: Any) -> Any:
        return level_by_level("kseq", tree, target_probs, draft_probs, rng)

    report = check_sampler(kseq, "tree", budget=QUICK)
    assert report.is_lossless, str(report)
    assert any("'distinct, two siblings'" in note for note in report.notes)


def test_a_third_sibling_that_is_taken_when_all_were_rejected_is_seen() -> None:
    def third(tree: Tree, target_probs: Any, draft_probs: Any, rng: Any) -> Any:
        emitted = recursive_on_tree(tree, target_probs, draft_probs, rng)
        if tree.tokens.shape[1] == 4 and not tree.parents[:, 1:].any():
            rejected = (emitted[:, :1] != tree.tokens[:, 1:]).all(axis=1)
            emitted[rejected, 0] = tree.tokens[rejected, 3]
            emitted[rejected, 1:] = -1
        return emitted

    report = check_sampler(third, "tree", budget=QUICK)
    assert report.verdict is Verdict.BIASED, str(report)
    assert "three siblings" in report.findings[0].problem


def test_steps_go_down_from_each_of_equal_siblings() -> None:
    nodes, parents = np.array([[-1, 5, 5, 1, 2]]), np.array([[-1, 0, 0, 1, 2]])
    rows = np.array([[5, 2, -1], [5, 1, 7], [1, -1, -1], [5, 3, -1], [2, -1, -1]])
    steps = steps_down(rows, nodes.repeat(len(rows), axis=0), parents.repeat(len(rows), axis=0))
    np.testing.assert_array_equal(steps, [2, 2, 0, 1, 0])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("certain-siblings-by-ratio", marks=pytest.mark.slow),
        pytest.param("branch-off-by-one", marks=pytest.mark.slow),
        "leaves-the-tree",
    ],
)
def test_what_is_wrong_is_seen(name: str) -> None:
    defect = next(entry for entry in DEFECTS if entry.name == name)
    report = check_sampler(defect.sampler, "tree", budget=QUICK)
    if defect.law is None:
        assert report.verdict is Verdict.INVALID
        assert "on the tree" in report.reason
    else:
        assert report.verdict is Verdict.BIASED
        assert report.diagnosis is not None
        assert report.diagnosis.name == name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[:, :-1], "its shape must be"),
        (lambda rows: rows + 7, "is out of range"),
        (lambda rows: np.full_like(rows, -1), "begins with -1"),
        (lambda rows: rows[:, ::-1], "trial 0 of 1"),
    ],
)
def test_a_broken_contract_is_named(change: Any, said: str) -> None:
    def verify(tree: Tree, *arguments: Any) -> Any:
        return change(walk_by_target(tree, *arguments))

    report = check_sampler(verify, "tree", budget=QUICK)
    assert report.verdict is Verdict.INVALID
    assert said in report.reason


def test_torch_gets_tensors() -> None:
    torch = pytest.importorskip("torch")

    def verify(tree: Tree, target_probs: Any, draft_probs: Any, rng: Any) -> Any:
        derived = tree.first_child, tree.next_sibling, tree.leaf_paths
        assert all(isinstance(it, torch.Tensor) for it in (tree.tokens, tree.parents, target_probs, *derived))
        raise Unsupported("enough was seen")

    report = check_sampler(verify, "tree", arrays="torch", budget=QUICK)
    assert report.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("parents", "kind", "named"),
    [
        ((-1, 0), "drawn", "kind is 'drawn'"),
        ((-1,), "iid", "parents is"),
        ((-1, 1), "iid", r"parents\[1\] is 1"),
        ((-1, 0, 1), "iid", "draft has horizon 2: a tree of depth 2 needs 3"),
        (
            (-1, 0, 0, 0),
            "certain",
            r"parents\[3\] is 0, child 3 of that node, and 2 tokens tell no more apart: give it",
        ),
        ((-1, 0, 0, 0), "distinct", r"parents\[3\] is 0, child 3 of that node.*or draw them iid"),
        ((-1, 2, 0), "iid", r"parents\[1\] is 2: a node's parent comes before it, 0..0"),
        ((-1, 0.5), "iid", r"parents\[1\] is 0.5: a node's parent is an integer, 0..0"),
        ((), "iid", "parents is .*: give -1 for the root and the parent of one node or more"),
    ],
)
def test_what_is_no_tree_is_refused(parents: Any, kind: Any, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        TreeProblem(MODEL, MODEL, parents, kind)


def test_every_right_rule_is_exact_on_trees_that_hypothesis_draws() -> None:
    from hypothesis import given, settings

    from specproof.conformance.strategies import tree_problems

    @settings(max_examples=30, deadline=None)
    @given(tree_problems())
    def is_exact(problem: TreeProblem) -> None:
        completed = problem.completed(TreeRule().law(problem))
        np.testing.assert_allclose(completed, problem.target_law, atol=1e-9)

    is_exact()
