"""The enumeration against a slower loop that follows one sequence of events at a time, in rational arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from specproof.theory.chain import TabularModel, random_tabular_pair
from specproof.theory.independent.runs_by_enumeration import runs_by_enumeration

Law = list[Fraction]
Text = tuple[int, ...]
Branches = dict[tuple[Text, int], Fraction]


def rationals(row: np.ndarray) -> Law:
    exact = [Fraction(float(value)) for value in row]
    return [value / sum(exact) for value in exact]


def position(proposal: Law, law: Law, num_drafts: int) -> Iterator[tuple[int, bool, Fraction]]:
    """Every single event at one position: which token is emitted, whether all drafts were rejected, how likely."""
    if num_drafts == 0:
        yield from ((token, True, chance) for token, chance in enumerate(law))
        return
    excess = [max(q - p, Fraction(0)) for p, q in zip(proposal, law, strict=True)]
    for drafted, chance in enumerate(proposal):
        if chance == 0:
            continue
        accept = min(Fraction(1), law[drafted] / chance)
        yield drafted, False, chance * accept
        if accept < 1:
            left = [value / sum(excess) for value in excess]
            for token, failed, later in position(proposal, left, num_drafts - 1):
                yield token, failed, chance * (1 - accept) * later


def follow(
    draft: TabularModel, target: TabularModel, num_drafts: int, text: Text = (), rejections: int = 0, fresh: bool = True
) -> Branches:
    """Probability of every (finished text, number of rejections) from here on: recursion over single events."""
    if len(text) == target.horizon:
        return {(text, rejections): Fraction(1)}
    proposal, law = (rationals(model.conditionals[len(text)][text]) for model in (draft, target))
    branches: Branches = defaultdict(Fraction)
    for token, failed, chance in position(proposal, law, num_drafts if fresh else 1):
        if chance:
            for end, later in follow(draft, target, num_drafts, (*text, token), rejections + failed, failed).items():
                branches[end] += chance * later
    return branches


def rational_joint(model: TabularModel, text: Text) -> Fraction:
    chance = Fraction(1)
    for index, token in enumerate(text):
        chance *= rationals(model.conditionals[index][text[:index]])[token]
    return chance


def sparse(model: TabularModel) -> TabularModel:
    """The same model without its first token wherever another is left."""
    tables = []
    for table in model.conditionals:
        thinned = table.copy()
        thinned[..., 0] = 0.0
        tables.append(thinned / thinned.sum(axis=-1, keepdims=True))
    return TabularModel(tables)


def tiny_pairs() -> dict[str, tuple[TabularModel, TabularModel]]:
    draft, target = random_tabular_pair(3, 3, np.random.default_rng(4), concentration=0.5)
    return {
        "any": (draft, target),
        "equal": (target, target),
        "draft with zeros": (sparse(draft), target),
        "target with zeros": (draft, sparse(target)),
        "disjoint": (TabularModel([[1.0, 0.0]]), TabularModel([[0.0, 1.0]])),
        "one token": (TabularModel([[1.0], [[1.0]]]), TabularModel([[1.0], [[1.0]]])),
        "denormal": (TabularModel([[5e-324, 1.0]]), TabularModel([[0.5, 0.5]])),
    }


@pytest.mark.parametrize("num_drafts", [1, 2, 3])
@pytest.mark.parametrize("name", tiny_pairs())
def test_a_loop_in_fractions(name: str, num_drafts: int) -> None:
    draft, target = tiny_pairs()[name]
    branches = follow(draft, target, num_drafts)
    assert sum(branches.values()) == 1
    output, counts = defaultdict(Fraction), [Fraction(0)] * (target.horizon + 1)
    for (text, rejections), chance in branches.items():
        output[text] += chance
        counts[rejections] += chance
    found = runs_by_enumeration(draft, target, num_drafts)
    for text in np.ndindex(found.output.shape):
        assert output[text] == rational_joint(target, text), "the algorithm is lossless, exactly"
        assert abs(found.output[text] - output[text]) <= 1e-15
    assert max(abs(Fraction(float(a)) - b) for a, b in zip(found.rejections, counts, strict=True)) <= 1e-15


def test_a_fresh_batch_is_had_at_the_start_and_after_a_rejection_only() -> None:
    """p = (1/2, 1/2), q = (1, 0), two drafts: a fresh batch fails with 1/4, a lone draft with 1/2."""
    draft = TabularModel([[0.5, 0.5], [[0.5, 0.5]] * 2, [[[0.5, 0.5]] * 2] * 2])
    target = TabularModel([[1.0, 0.0], [[1.0, 0.0]] * 2, [[[1.0, 0.0]] * 2] * 2])
    ends = {"aaa": 3 / 16, "aar": 3 / 16, "ara": 9 / 32, "arr": 3 / 32, "raa": 3 / 32, "rar": 3 / 32}
    ends |= {"rra": 3 / 64, "rrr": 1 / 64}
    counts = [sum(chance for end, chance in ends.items() if end.count("r") == count) for count in range(4)]
    assert runs_by_enumeration(draft, target, 2).rejections.tolist() == counts
