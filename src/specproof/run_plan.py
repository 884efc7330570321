"""A run is planned once: what it does, at what level, and by what code, decided before the first cell starts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from specproof.figures.figure_spec import FigureSpec
from specproof.manifest import environment
from specproof.own_cells import own_cells
from specproof.own_code import OwnCode
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
        What the run is asked for.
    claims : tuple of Claim
        Claims to gather evidence for.
    figures : tuple of FigureSpec
        Figures to draw from it.
    cells : mapping
        The cells of each of the claims, by its id.
    tests : mapping
        Numbers of statistical tests that share the family-wise level: of every claim of this package, whichever are
        run, and of a person's own.
    fingerprints : mapping
        By claim, what results depend on besides settings and cells: source code and versions of libraries.
    own : tuple of OwnCode
        A person's own code.
    """

    settings: Settings
    claims: tuple[Claim, ...]
    figures: tuple[FigureSpec, ...]
    cells: Mapping[str, Sequence[Cell]]
    tests: Mapping[str, int]
    fingerprints: Mapping[str, str]
    own: tuple[OwnCode, ...] = ()

    @property
    def level(self) -> float:
        """False-alarm level of each statistical test, were there one."""
        return FAMILY_LEVEL / max(sum(self.tests.values()), 1)

    @property
    def all_cells(self) -> list[Cell]:
        """The cells of all claims, in their order."""
        return [cell for claim in self.claims for cell in self.cells[claim.id]]

    def key(self, cell: Cell) -> str:
        """Digest of all that the result of a cell depends on."""
        return cell.key(self.settings.seed, self.level, self.fingerprints[cell.claim])


def plan_run(wanted: Wanted, settings: Settings) -> RunPlan:
    """Build the cells of every claim and share the family-wise level evenly among all their tests.

    Raises
    ------
    InvalidInput
        If the settings do not suit a claim, or a person's own claim has cells that cannot be used.
    """
    own = tuple(claim for code in wanted.own for claim in code.claims)
    ours = {claim.id: tuple(claim.cells(settings)) for claim in wanted.registered}
    theirs = {claim.id: own_cells(claim, settings) for claim in own}
    cells = ours | theirs
    tests = {
        "registered": sum(_tests(claim, ours[claim.id]) for claim in wanted.registered),
        "own": sum(_tests(claim, theirs[claim.id]) for claim in own),
    }
    return RunPlan(
        settings,
        wanted.claims,
        wanted.figures,
        {claim.id: cells[claim.id] for claim in wanted.claims},
        tests,
        _fingerprints(wanted),
        wanted.own,
    )


def _tests(claim: Claim, cells: Sequence[Cell]) -> int:
    return claim.conclusions + sum(cell.tests for cell in cells)


def _fingerprints(wanted: Wanted) -> dict[str, str]:
    """Put the package's source and libraries into every claim's, and own code into that of the claims it bears on."""
    shared = [source_fingerprint(), environment()["packages"]]
    shared += [code.digest for code in wanted.own if code.touches_all]
    own = {claim.id: [code.digest] for code in wanted.own for claim in code.claims}
    return {claim.id: json.dumps(shared + own.get(claim.id, [])) for claim in wanted.claims}
