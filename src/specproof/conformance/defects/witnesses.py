"""Problems that defects are shown on beside those of the ladder."""

from __future__ import annotations

import numpy as np

from specproof.conformance.problems import GenerateProblem, Problem
from specproof.conformance.problems.generate_problem import LOOKAHEAD
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array


def _penalised(prompt: tuple[int, ...], length: int) -> GenerateProblem:
    """Give laws without memory, and a target that takes two thirds off a token's weight whenever the token occurs."""
    base = np.array((0.5, 0.3, 0.2))
    counts, targets = np.zeros(base.size), []
    for _ in range(len(prompt) + length + LOOKAHEAD):
        weights = base / 3.0**counts
        targets.append(weights / weights.sum(axis=-1, keepdims=True))
        counts = counts[..., np.newaxis, :] + np.eye(base.size)
    drafts: list[Array] = [np.broadcast_to(base, table.shape) for table in targets]
    return GenerateProblem(TabularModel(drafts), TabularModel(targets), prompt, length)


WITNESSES: dict[str, Problem] = {"a penalty on repetition": _penalised((0,), 4)}
"""These problems are asked for by their names."""
