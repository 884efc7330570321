"""Which claims and figures the words on the command line mean."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.registry import FIGURES
from specproof.own_code import OwnCode, require_distinct
from specproof.simulations.claims.claim import Claim
from specproof.simulations.claims.registry import CLAIMS
from specproof.theory.errors import InvalidInput


@dataclass(frozen=True)
class Wanted:
    """Claims to gather evidence for, and figures to draw from it.

    Attributes
    ----------
    claims : tuple of Claim
        Evidence is gathered for these claims.
    figures : tuple of FigureSpec
        These figures are drawn from it.
    registered : tuple of Claim
        Those of this package: their tests share the family-wise level, whichever of them are run.
    own : tuple of OwnCode
        A person's own code, whose claims are among ``claims`` and share the level too.
    """

    claims: tuple[Claim, ...]
    figures: tuple[FigureSpec, ...]
    registered: tuple[Claim, ...]
    own: tuple[OwnCode, ...] = ()


def find_wanted(names: Sequence[str], own: Sequence[OwnCode] = ()) -> Wanted:
    """Resolve ids and their first parts: ``yin2024`` means all of that paper; no name at all means everything.

    A figure brings the claim its data comes from, and a claim the figures that show it. Claims of a person's own come
    after ours; where there are some, no name means none of ours.

    Raises
    ------
    InvalidInput
        If a name means nothing, with the nearest that does, or an id of a person's own claim cannot be used.
    """
    own_claims = tuple(claim for code in own for claim in code.claims)
    own_figures = tuple(figure for code in own for figure in code.figures)
    require_distinct([*CLAIMS, *own_claims], [*FIGURES, *own_figures])
    claims, figures = ((), ()) if own_claims and not names else _find_ours(names)
    return Wanted((*claims, *own_claims), (*figures, *own_figures), CLAIMS, tuple(own))


def _find_ours(names: Sequence[str]) -> tuple[tuple[Claim, ...], tuple[FigureSpec, ...]]:
    if not names:
        return CLAIMS, FIGURES
    known = [claim.id for claim in CLAIMS] + [figure.id for figure in FIGURES]
    for name in names:
        if not any(_means(name, item) for item in known):
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}? " if near else ""
            raise InvalidInput(f"there is no claim or figure {name!r}: {hint}'specproof list' shows them all")
    drawn = {figure.claim for figure in FIGURES if any(_means(name, figure.id) for name in names)}
    claims = tuple(c for c in CLAIMS if c.id in drawn or any(_means(name, c.id) for name in names))
    chosen = {claim.id for claim in claims}
    return claims, tuple(figure for figure in FIGURES if figure.claim in chosen)


def _means(name: str, identifier: str) -> bool:
    return identifier == name or identifier.startswith(name + ".")
