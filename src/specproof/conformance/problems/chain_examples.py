"""The problems of the contract ``chain``, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from specproof.conformance.problems.chain_problem import ChainProblem
from specproof.conformance.problems.degenerate_pairs import DEGENERATE_LAWS
from specproof.conformance.problems.example_models import (
    CLOSE_ROWS,
    NEAR_P8,
    NEAR_Q8,
    P2_ROWS,
    P3,
    P3_ROWS,
    P4,
    P8,
    Q2_ROWS,
    Q3,
    Q3_ROWS,
    Q4,
    Q8,
    RARE,
    USUAL,
    Models,
    certain,
    histories,
    independent,
    markov,
    near_each_other,
)
from specproof.theory.chain import TabularModel

TWO, THREE = (P2_ROWS[0], P2_ROWS, Q2_ROWS[0], Q2_ROWS), (P3, P3_ROWS, Q3, Q3_ROWS)


def chain_examples() -> dict[str, ChainProblem]:
    """Make the problems whose laws are tested, the smallest first; those that a sampler may not know of come last."""
    return {
        "two tokens": _bonus(markov(*TWO, horizon=2)),
        "two tokens, other laws": _bonus(markov((0.2, 0.8), P2_ROWS, (0.6, 0.4), Q2_ROWS[::-1], horizon=2)),
        "three tokens": _bonus(markov(*THREE, horizon=2)),
        "a token all but forbidden": _bonus(markov(RARE, [RARE] * 3, USUAL, Q3_ROWS, horizon=2)),
        "two drafts, two tokens": _bonus(markov(*TWO, horizon=3)),
        "two drafts, no memory": _no_memory([(0.7, 0.3)] * 2, [(0.5, 0.5)] * 3),
        "two drafts, three tokens": _bonus(markov(*THREE, horizon=3)),
        "two drafts, unlike laws": _no_memory(
            [(0.26, 0.72, 0.02), (0.02, 0.52, 0.46)], [(0.16, 0.48, 0.36), (0.2, 0.78, 0.02), (0.02, 0.04, 0.94)]
        ),
        "two certain drafts": _no_memory([(0.0, 1.0, 0.0), (1.0, 0.0, 0.0)], [(0.2, 0.3, 0.5), Q3, P3]),
        "draft and target equal": _bonus(markov(Q3, Q3_ROWS, Q3, Q3_ROWS, horizon=3)),
        "three drafts": _bonus(markov(*TWO, horizon=4)),
        "three drafts, whole history": _bonus(histories(2, 4)),
        "four tokens": _no_memory([P4, P4[::-1]], [Q4, P4, (0.25, 0.25, 0.4, 0.1)]),
        "four tokens, whole history": _bonus(histories(4, 3)),
        "five drafts": _bonus(markov(P2_ROWS[0], CLOSE_ROWS, Q2_ROWS[0], Q2_ROWS, horizon=6)),
        "five drafts, no memory": _no_memory([(0.6, 0.4)] * 5, [(0.4, 0.6)] * 6),
        "eight tokens": _no_memory([P8], [Q8, P8[::-1]]),
        "eight tokens, draft near the target": _no_memory([NEAR_P8], [NEAR_Q8, NEAR_Q8[::-1]]),
        "thirty-two tokens, draft near the target": _bonus(near_each_other()),
        "thirty-two tokens, other laws": _bonus(near_each_other()[::-1]),
        "eight tokens, draft uniform": _no_memory([(0.125,) * 8], [P8, Q8]),
        **_unusual(),
    }


def _unusual() -> dict[str, ChainProblem]:
    """Ragged batches, and certain drafts whose law is not handed out.

    One of these is the target's likeliest token, which shows what is taken for certain where the two agree.
    """
    three, history = (_bonus(models).models for models in (markov(*THREE, horizon=3), histories(2, 4)))
    argmax, agreeing = certain(three[0]), certain(_bonus(markov(Q3, P3_ROWS, Q3, Q3_ROWS, horizon=3)).draft)
    return {
        "ragged, two drafts": ChainProblem(*three, _evenly(3)),
        "ragged, three drafts": ChainProblem(*history, _evenly(4)),
        "ragged, no drafts": ChainProblem(*three, np.eye(3)[0]),
        "no draft law": ChainProblem(argmax, three[1], declared=False),
        "no draft law, ragged": ChainProblem(agreeing, three[1], _evenly(3), declared=False),
    }


def unusual_degenerates() -> dict[str, ChainProblem]:
    """Make degenerate problems in ragged batches and without a draft law."""
    pairs = {name: ChainProblem.degenerate(*DEGENERATE_LAWS[name]) for name in ("disjoint", "equal point masses")}
    return {
        **{f"{name}, ragged": ChainProblem(*pair.models, _evenly(3)) for name, pair in pairs.items()},
        **{
            f"{name}, no draft law": ChainProblem(certain(pair.draft), pair.target, declared=False)
            for name, pair in pairs.items()
        },
    }


def _evenly(size: int) -> Any:
    return np.full(size, 1.0 / size)


def _bonus(models: Models) -> ChainProblem:
    """Leave the draft's last position out, which is the bonus token's."""
    draft, target = models
    return ChainProblem(TabularModel(draft.conditionals[:-1]), target)


def _no_memory(draft: Sequence[Any], target: Sequence[Any]) -> ChainProblem:
    return ChainProblem(independent(draft), independent(target))
