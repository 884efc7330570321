"""Positions of real text, reached by sampling the target, with the laws of both models there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from specproof.simulations.claims.real.prompt_groups import PromptGroup, prepare
from specproof.simulations.experiments.cell import Records
from specproof.theory.distribution import Array


class Positions(NamedTuple):
    """The next position of each text that still goes on."""

    places: Records
    """Pair, number and id of the prompt, and position, one record for each."""
    draft: Array
    """Laws over the full vocabulary, shape (positions, V)."""
    target: Array
    """The same of the target."""

    def records(self, columns: Mapping[str, Array], **setting: Any) -> Records:
        """Say what was measured at each, in a column of shape (positions,) for each quantity, and at what setting."""
        return [
            {**place, **setting, **{name: float(values[index]) for name, values in columns.items()}}
            for index, place in enumerate(self.places)
        ]


def row_by_row(measure: Callable[[Array, Array], Mapping[str, Array]], draft: Array, target: Array) -> dict[str, Array]:
    """Measure one position after the other, as the arrays of a single one stay in cache; columns as of all together."""
    found = [measure(*laws) for laws in zip(draft, target, strict=True)]
    return {name: np.array([columns[name] for columns in found]) for name in found[0]}


def walk_prompts(group: PromptGroup, horizon: int, rng: np.random.Generator) -> Iterator[Positions]:
    """Go on from each prompt by sampling the target at most ``horizon`` times, all texts one token at a time."""
    from specproof.simulations.language_models.walking import walk_target

    models, encoded = prepare(group)
    for step in walk_target(models, encoded, horizon, rng):
        rows = np.flatnonzero(step.active)
        draft, target = (law.cpu().numpy()[rows] for law in (step.draft, step.target))
        places = [
            {
                "pair": group["pair"],
                "prompt": group["first"] + int(row),
                "id": group["prompts"][row]["id"],
                "position": step.position,
            }
            for row in rows
        ]
        yield Positions(places, draft, target)
