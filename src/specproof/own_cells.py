"""The cells of a person's own claim, checked before anything runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from specproof.own_code import ID
from specproof.simulations.claims.claim import Claim, Settings
from specproof.simulations.experiments.cell import Cell
from specproof.theory.errors import InvalidInput


def own_cells(claim: Claim, settings: Settings) -> tuple[Cell, ...]:
    """Build the cells of a claim that is not of this package.

    Raises
    ------
    InvalidInput
        If that fails, or one of them could not be run, told from the others, or sent to a worker.
    """
    try:
        cells = tuple(claim.cells(settings))
    except InvalidInput:
        raise
    except Exception as error:
        message = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise InvalidInput(f"the cells of {claim.id} cannot be built ({message}): return a list of Cell") from error
    for cell in cells:
        if not isinstance(cell, Cell):
            raise InvalidInput(f"the cells of {claim.id} hold a {type(cell).__name__}: return a list of Cell")
        if cell.claim != claim.id:
            raise InvalidInput(f"cell {cell.name!r} of {claim.id} is said to be of {cell.claim!r}: give the claim's id")
    if not cells:
        raise InvalidInput(f"{claim.id} has no cells: return at least one Cell")
    for cell in cells:
        _require_usable(cell, cells)
    return cells


def _require_usable(cell: Cell, cells: Sequence[Cell]) -> None:
    if not isinstance(cell.name, str) or not ID.fullmatch(cell.name):
        raise InvalidInput(f"cell name {cell.id!r}: use letters, digits, dots, dashes and underscores")
    if sum(other.name == cell.name for other in cells) > 1:
        raise InvalidInput(f"{cell.id} is the name of two cells: give each a name of its own")
    function = cell.function
    module = sys.modules.get(getattr(function, "__module__", ""))
    if getattr(module, getattr(function, "__qualname__", ""), None) is not function:
        raise InvalidInput(f"the function of {cell.id} cannot travel to a worker: define it at the top of a module")
    try:
        json.dumps(dict(cell.parameters))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the parameters of {cell.id} are not JSON values ({error}): use numbers and text") from None
    if missing := [need.id for need in cell.needs if need.id not in {other.id for other in cells}]:
        raise InvalidInput(f"{cell.id} needs {missing[0]}, which is not among the claim's cells: return it too")
