"""The problems that a sampler is checked on: small, readable, and chosen so that each known kind of defect shows.

What shows a defect (and what hides it): a residual with two tokens of unequal mass (a residual of one token hides
reused randomness and an argmax in its place), target rows that differ by context (context-free ones hide a wrong row),
two drafted positions or more (the first token hides what is wrong with the joint law; five show what is wrong from the
fourth on), a history that matters to the end (a Markov chain hides that its prompt was forgotten, or that an entry of a
cache is stale), batches of
different problems (a batch of one hides mixed-up rows), tokens that the draft prefers and the target all but forbids
(they show a leak).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from specproof.conformance.problems.problem import ChainProblem, GenerateProblem, MultiProblem, Problem
from specproof.theory.chain import MarkovChain, TabularModel
from specproof.theory.distribution import Array

LOOKAHEAD = 4
"""Positions past the end of a ``generate`` problem for which the models still have tables."""

SMALL_PROBLEMS = {
    "chain": ("three tokens", "two drafts, three tokens"),
    "multi": ("three tokens, k = 2", "five tokens, k = 3"),
    "generate": ("three tokens", "whole history"),
}
"""What is run in small batches: every defect of one position shows on the first, the second has more to it."""

P3, Q3 = (0.6, 0.2, 0.2), (0.2, 0.3, 0.5)
P3_ROWS = ((0.2, 0.6, 0.2), (0.5, 0.4, 0.1), (0.1, 0.3, 0.6))
Q3_ROWS = ((0.5, 0.4, 0.1), (0.1, 0.2, 0.7), (0.3, 0.6, 0.1))
P2_ROWS, Q2_ROWS = ((0.7, 0.3), (0.4, 0.6)), ((0.5, 0.5), (0.1, 0.9))
RARE, USUAL = (0.88, 0.06, 0.06), (0.02, 0.38, 0.6)
CLOSE_ROWS = ((0.6, 0.4), (0.3, 0.7))
"""Close to the target's, so that long drafts are often accepted."""
P8, Q8 = (0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05, 0.05), (0.05, 0.05, 0.1, 0.1, 0.1, 0.15, 0.2, 0.25)
P4, Q4 = (0.4, 0.3, 0.2, 0.1), (0.1, 0.2, 0.3, 0.4)


@cache
def ladder(contract: str) -> Mapping[str, Problem]:
    """The problems whose laws are tested, by name, the smallest first; no token of them is impossible."""
    return _frozen({"chain": _chains, "multi": _multis, "generate": _generates}[contract]())


@cache
def corners(contract: str) -> Mapping[str, Problem]:
    """Degenerate problems, by name: equal laws, disjoint supports, zeros, ties, point masses, one token, denormals."""
    pairs = {name: tuple(map(np.array, pair)) for name, pair in _CORNERS.items()}
    return _frozen({name: _corner(contract, p, q) for name, (p, q) in pairs.items()})


@cache
def mirrored(problem: ChainProblem | MultiProblem) -> ChainProblem | MultiProblem:
    """The problem with its tokens in reverse order: in a batch with it, rows that are mixed up have another law."""
    if isinstance(problem, MultiProblem):
        return MultiProblem(problem.draft[::-1], problem.target[::-1], problem.num_drafts)
    draft, target = (
        TabularModel([np.flip(table) for table in model.conditionals]) for model in (problem.draft, problem.target)
    )
    return ChainProblem(draft, target)


_CORNERS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "equal": ((0.2, 0.3, 0.5), (0.2, 0.3, 0.5)),
    "equal up to rounding": ((0.5, 0.5, 0.0), (float(np.nextafter(0.5, 0)), 0.5, 0.0)),
    "disjoint": ((0.5, 0.5, 0.0, 0.0), (0.0, 0.0, 0.25, 0.75)),
    "one token": ((1.0,), (1.0,)),
    "equal point masses": ((0.0, 1.0, 0.0), (0.0, 1.0, 0.0)),
    "point masses": ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "zeros on both sides": ((0.0, 0.5, 0.25, 0.25, 0.0), (0.25, 0.0, 0.5, 0.25, 0.0)),
    "first and last impossible": ((0.4, 0.2, 0.4), (0.0, 1.0, 0.0)),
    "ties": ((0.25, 0.25, 0.25, 0.25), (0.4, 0.4, 0.1, 0.1)),
    "1e-300": ((1e-300, 0.5, 0.5), (0.5, 0.5, 1e-300)),
    "denormal": ((5e-324, 1e-310, 1.0), (0.5, 0.5, 5e-324)),
}


def _corner(contract: str, p: Array, q: Array) -> Problem:
    if contract == "chain":
        return _independent([p, p], [q, q, q])
    if contract == "multi":
        return MultiProblem(p, q, 2)
    return _generate(p, [p] * p.size, q, [q] * q.size, (int(q.argmax()),), 2)


def _frozen(problems: dict[str, Problem]) -> Mapping[str, Problem]:
    """The same, read-only: they serve every check of a process."""
    for problem in problems.values():
        for law in (problem.draft, problem.target):
            for table in (law,) if isinstance(law, np.ndarray) else law.conditionals:
                table.setflags(write=False)
    return MappingProxyType(problems)


def _chains() -> dict[str, Problem]:
    return {
        "two tokens": _markov(P2_ROWS[0], P2_ROWS, Q2_ROWS[0], Q2_ROWS, 1),
        "two tokens, other laws": _markov((0.2, 0.8), P2_ROWS, (0.6, 0.4), Q2_ROWS[::-1], 1),
        "three tokens": _markov(P3, P3_ROWS, Q3, Q3_ROWS, 1),
        "a token all but forbidden": _markov(RARE, [RARE] * 3, USUAL, Q3_ROWS, 1),
        "two drafts, two tokens": _markov(P2_ROWS[0], P2_ROWS, Q2_ROWS[0], Q2_ROWS, 2),
        "two drafts, no memory": _independent([(0.7, 0.3)] * 2, [(0.5, 0.5)] * 3),
        "two drafts, three tokens": _markov(P3, P3_ROWS, Q3, Q3_ROWS, 2),
        "two drafts, a mild first": _independent([(0.1, 0.1, 0.8)] * 2, [(0.2, 0.4, 0.4)] * 3),
        "draft and target equal": _markov(Q3, Q3_ROWS, Q3, Q3_ROWS, 2),
        "three drafts": _markov(P2_ROWS[0], P2_ROWS, Q2_ROWS[0], Q2_ROWS, 3),
        "three drafts, whole history": _history(2, 3),
        "four tokens": _independent([P4, P4[::-1]], [Q4, P4, (0.25, 0.25, 0.4, 0.1)]),
        "four tokens, whole history": _history(4, 2),
        "five drafts": _markov(P2_ROWS[0], CLOSE_ROWS, Q2_ROWS[0], Q2_ROWS, 5),
        "five drafts, no memory": _independent([(0.6, 0.4)] * 5, [(0.4, 0.6)] * 6),
        "eight tokens": _independent([P8], [Q8, P8[::-1]]),
        "eight tokens, draft uniform": _independent([(0.125,) * 8], [P8, Q8]),
    }


def _multis() -> dict[str, Problem]:
    uneven, spread = ((0.1, 0.1, 0.8), (0.2, 0.7, 0.1)), ((0.5, 0.3, 0.2), (0.2, 0.3, 0.5))
    pairs = {"three tokens": (P3, Q3), "uneven": uneven, "a token all but forbidden": (RARE, USUAL), "spread": spread}
    five = ((0.35, 0.3, 0.2, 0.1, 0.05), (0.1, 0.15, 0.2, 0.25, 0.3)), ((0.2,) * 5, (0.5, 0.2, 0.1, 0.1, 0.1))
    problems: dict[str, Problem] = {
        f"{name}, k = {count}": MultiProblem(p, q, count) for count in (1, 2) for name, (p, q) in pairs.items()
    }
    for count in (3, 5):
        for name, (p, q) in zip(("five tokens", "five tokens, draft uniform"), five, strict=True):
            problems[f"{name}, k = {count}"] = MultiProblem(p, q, count)
    for name in ("three tokens", "uneven"):
        problems[f"{name}, k = 8"] = MultiProblem(*pairs[name], 8)
    problems["eight tokens, k = 3"] = MultiProblem(P8, Q8, 3)
    problems["eight tokens, draft uniform, k = 3"] = MultiProblem((0.125,) * 8, P8, 3)
    return problems


def _generates() -> dict[str, Problem]:
    return {
        "two tokens": _generate(P2_ROWS[0], P2_ROWS, Q2_ROWS[0], Q2_ROWS, (0,), 3),
        "three tokens": _generate(P3, P3_ROWS, Q3, Q3_ROWS, (0,), 3),
        "a token all but forbidden": _generate(RARE, [RARE] * 3, USUAL, [USUAL] * 3, (2,), 2),
        "longer": _generate(P2_ROWS[0], P2_ROWS, Q2_ROWS[0], Q2_ROWS, (1, 0), 6),
        "four tokens": _generate(P4, [P4, P4[::-1]] * 2, Q4, [Q4, P4, Q4[::-1], Q4], (3, 1), 3),
        "whole history": GenerateProblem(*_histories(2, 6 + LOOKAHEAD), prompt=(1, 0), length=4),
    }


def _markov(
    first: ArrayLike, rows: Sequence[ArrayLike], target_first: ArrayLike, target_rows: Sequence[ArrayLike], length: int
) -> ChainProblem:
    draft, target = (
        MarkovChain(initial, np.array(transitions), length + 1).tabulate()
        for initial, transitions in ((first, rows), (target_first, target_rows))
    )
    return ChainProblem(TabularModel(draft.conditionals[:length]), target)


def _independent(draft: Sequence[ArrayLike], target: Sequence[ArrayLike]) -> ChainProblem:
    """Positions that do not depend on each other, one law for each."""
    models = [
        TabularModel([np.broadcast_to(row, (np.size(row),) * (index + 1)) for index, row in enumerate(rows)])
        for rows in (draft, target)
    ]
    return ChainProblem(*models)


def _history(num_tokens: int, length: int) -> ChainProblem:
    draft, target = _histories(num_tokens, length + 1)
    return ChainProblem(TabularModel(draft.conditionals[:length]), target)


def _histories(num_tokens: int, horizon: int) -> tuple[TabularModel, TabularModel]:
    """Every context with a law of its own: weights 1, 4, 9 ... dealt out by a fixed rule."""

    def table(index: int, step: int) -> Array:
        shape = (num_tokens,) * (index + 1)
        weights = (1.0 + (step * np.arange(num_tokens ** (index + 1)) % 7).reshape(shape)) ** 2
        rows: Array = weights / weights.sum(axis=-1, keepdims=True)
        return rows

    draft, target = (TabularModel([table(index, step) for index in range(horizon)]) for step in (3, 5))
    return draft, target


def _generate(
    first: ArrayLike,
    rows: Sequence[ArrayLike],
    target_first: ArrayLike,
    target_rows: Sequence[ArrayLike],
    prompt: tuple[int, ...],
    length: int,
) -> GenerateProblem:
    horizon = len(prompt) + length + LOOKAHEAD
    draft = MarkovChain(first, np.array(rows), horizon).tabulate()
    return GenerateProblem(draft, MarkovChain(target_first, np.array(target_rows), horizon).tabulate(), prompt, length)
