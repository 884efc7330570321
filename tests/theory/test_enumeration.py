"""The enumeration against a slower twin that follows one sequence of events at a time, in rational arithmetic."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest

from theory.chain import TabularModel, random_tabular_pair
from theory.enumeration import enumerate_speculation

Law = list[Fraction]
Branches = dict[tuple[tuple[int, ...], int], Fraction]


def rationals(row: np.ndarray) -> Law:
    exact = [Fraction(float(value)) for value in row]
    return [value / sum(exact) for value in exact]


def follow(draft: TabularModel, target: TabularModel, text: tuple[int, ...], rejections: int) -> Branches:
    """Probability of every (finished text, number of rejections) from here on: recursion over single events."""
    if len(text) == target.horizon:
        return {(text, rejections): Fraction(1)}
    proposal, law = (rationals(model.conditionals[len(text)][text]) for model in (draft, target))
    excess = [max(q - p, Fraction(0)) for p, q in zip(proposal, law, strict=True)]
    branches: Branches = defaultdict(Fraction)
    for drafted, chance in enumerate(proposal):
        if chance == 0:
            continue
        accept = min(Fraction(1), law[drafted] / chance)
        events = [(drafted, rejections, chance * accept)]
        if accept < 1:
            share = chance * (1 - accept) / sum(excess)
            events += [(token, rejections + 1, share * weight) for token, weight in enumerate(excess)]
        for token, count, probability in events:
            if probability:
                for end, later in follow(draft, target, (*text, token), count).items():
                    branches[end] += probability * later
    return branches


def rational_joint(model: TabularModel, text: tuple[int, ...]) -> Fraction:
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


@pytest.mark.parametrize("name", tiny_pairs())
def test_twin_in_fractions(name: str) -> None:
    draft, target = tiny_pairs()[name]
    branches = follow(draft, target, (), 0)
    assert sum(branches.values()) == 1
    output, counts = defaultdict(Fraction), [Fraction(0)] * (target.horizon + 1)
    for (text, rejections), chance in branches.items():
        output[text] += chance
        counts[rejections] += chance
    found = enumerate_speculation(draft, target)
    for text in np.ndindex(found.output.shape):
        assert output[text] == rational_joint(target, text), "the algorithm is lossless, exactly"
        assert abs(found.output[text] - output[text]) <= 1e-15
    assert max(abs(Fraction(float(a)) - b) for a, b in zip(found.rejections, counts, strict=True)) <= 1e-15
