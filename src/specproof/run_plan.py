"""A run is planned once: what it does, at what level, and by what code, decided before the first cell starts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from specproof.figures.figure_spec import FigureSpec
from specproof.manifest import environment
from specproof.simulations.claims.claim import FAMILY_LEVEL, Claim, Settings
from specproof.simulations.experiments.cell import Cell
from specproof.simulations.experiments.store import source_fingerprint
from specproof.wanted import Wanted


@dataclass(frozen=True)
class RunPlan:
    """All that is decided about a run; see :func:`plan_run`.

    Attributes
    ----------
    settings : Settings
    claims : tuple of Claim
    figures : tuple of FigureSpec
    cells : mapping
        The cells of each of the claims, by its id.
    tests : int
        Statistical tests that share the family-wise level: those of every registered claim, whichever are run.
    fingerprint : str
        What the results depend on besides settings and cells: the source and the versions of libraries.
    """

    settings: Settings
    claims: tuple[Claim, ...]
    figures: tuple[FigureSpec, ...]
    cells: Mapping[str, Sequence[Cell]]
    tests: int
    fingerprint: str

    @property
    def level(self) -> float:
        """False-alarm level of each statistical test."""
        return FAMILY_LEVEL / self.tests

    @property
    def all_cells(self) -> list[Cell]:
        """The cells of all claims, in their order."""
        return [cell for claim in self.claims for cell in self.cells[claim.id]]

    def key(self, cell: Cell) -> str:
        """Digest of all that the result of a cell depends on."""
        return cell.key(self.settings.seed, self.level, self.fingerprint)


def plan_run(wanted: Wanted, settings: Settings) -> RunPlan:
    """Build the cells of every claim and share the family-wise level evenly among all their tests.

    Raises
    ------
    InvalidInput
        If the settings do not suit a claim.
    """
    cells = {claim.id: tuple(claim.cells(settings)) for claim in wanted.registered}
    return RunPlan(
        settings,
        wanted.claims,
        wanted.figures,
        {claim.id: cells[claim.id] for claim in wanted.claims},
        sum(claim.conclusions + sum(cell.tests for cell in cells[claim.id]) for claim in wanted.registered),
        json.dumps([source_fingerprint(), environment()["packages"]]),
    )
