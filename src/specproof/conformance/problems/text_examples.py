"""The problems of the contract ``generate``, by name."""

from __future__ import annotations

from typing import Any

from specproof.conformance.problems.example_models import (
    P2_ROWS,
    P3,
    P3_ROWS,
    P4,
    Q2_ROWS,
    Q3,
    Q3_ROWS,
    Q4,
    RARE,
    USUAL,
    histories,
    markov,
)
from specproof.conformance.problems.generate_problem import LOOKAHEAD, GenerateProblem
from specproof.conformance.problems.text_settings import PLAIN, TextSettings

SELDOM_ENDS = (0.5, 0.5), ((0.5, 0.5), (0.2, 0.8)), (0.6, 0.4), ((0.6, 0.4), (0.15, 0.85))
"""A draft near its target: after token 1 another one mostly comes, so that texts that end at 0 are often long."""


def text_examples() -> dict[str, GenerateProblem]:
    """Make the problems whose laws are tested, the smallest first; those with settings come last.

    What is asked of long texts concerns the bonus token of a round of two drafts, and of four: texts go on after it.
    Their prompts have the end token in them, and the greedy rows of one would begin with it, were they not too short.
    """
    two, three = (P2_ROWS[0], P2_ROWS, Q2_ROWS[0], Q2_ROWS), (P3, P3_ROWS, Q3, Q3_ROWS)
    return {
        "two tokens": _asked(two, (0,), 3),
        "three tokens": _asked(three, (0,), 3),
        "a token all but forbidden": _asked((RARE, [RARE] * 3, USUAL, [USUAL] * 3), (2,), 2),
        "longer": _asked(two, (1, 0), 6),
        "four tokens": _asked((P4, [P4, P4[::-1]] * 2, Q4, [Q4, P4, Q4[::-1], Q4]), (3, 1), 3),
        "whole history": GenerateProblem(*histories(2, 6 + LOOKAHEAD), prompt=(1, 0), length=4),
        "eight tokens, whole history": GenerateProblem(*histories(2, 9 + LOOKAHEAD), prompt=(1,), length=8),
        "texts that end": _asked(three, (0,), 3, TextSettings(end=1)),
        "texts that end, not before three tokens": _asked(three, (0,), 4, TextSettings(end=1, least=3)),
        "greedy and sampled rows": _asked(three, (0,), 4, TextSettings(temperatures=(0.0, 1.0))),
        "long texts that end": _asked(SELDOM_ENDS, (0, 1), 6, TextSettings(end=0)),
        "greedy and sampled rows of long texts that end": _asked(
            SELDOM_ENDS, (1, 0), 6, TextSettings(end=0, least=2, temperatures=(0.0, 1.0))
        ),
    }


def _asked(
    rows: tuple[Any, Any, Any, Any], prompt: tuple[int, ...], length: int, settings: TextSettings = PLAIN
) -> GenerateProblem:
    """Ask for tokens of Markov chains, given by the first laws and the rows of both."""
    return GenerateProblem(*markov(*rows, horizon=len(prompt) + length + LOOKAHEAD), prompt, length, settings)
