"""What a claim is, and the settings of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from specproof.simulations.experiments.cell import Cell, CellContext, Findings
from specproof.simulations.language_models.prompts import load_prompts

FAMILY_LEVEL = 1e-6
"""The chance that a whole run refutes anything although every claim is true and every sampler right."""


def _shipped_prompts() -> tuple[Mapping[str, str | bool], ...]:
    return tuple(asdict(prompt) for prompt in load_prompts())


@dataclass(frozen=True)
class Settings:
    """What a run is asked for.

    Attributes
    ----------
    scale : {"quick", "full"}
        Minutes, or hours for tighter intervals.
    seed : int
        Root of every random stream.
    pair : str
        Language-model pair, see ``specproof models``.
    device : str
        Where models and their sampling run, "cpu" or "cuda".
    prompts : tuple of mappings
        Prompts as :class:`specproof.simulations.language_models.prompts.Prompt` fields; by default those shipped.
    draft_length : int
        Tokens drafted in a round.
    scorer : str
        What judges continuations, see :func:`specproof.simulations.language_models.scoring.parse_scorer`.

    Examples
    --------
    >>> from specproof.claims import Settings
    >>> Settings().sized(quick=10, full=1000), Settings(scale="full").sized(quick=10, full=1000)
    (10, 1000)
    """

    scale: str = "quick"
    seed: int = 0
    pair: str = "rtn:4"
    device: str = "cpu"
    prompts: tuple[Mapping[str, str | bool], ...] = field(default_factory=_shipped_prompts)
    draft_length: int = 4
    scorer: str = "likelihood"

    def sized(self, quick: int, full: int) -> int:
        """Pick a size by scale."""
        return full if self.scale == "full" else quick


@dataclass(frozen=True)
class Claim:
    """One published statement.

    Attributes
    ----------
    id : str
        Paper and name, such as ``yin2024.theorem1``.
    source : str
        The statement is published here.
    statement : str
        One line.
    cells : callable
        ``cells(settings)``: the experiment, as independent cells.
    conclude : callable, optional
        ``conclude(context) -> Findings`` from the tables of all cells together, which are ``context.tables``.
    conclusions : int
        The most statistical tests that ``conclude`` makes.
    needs_models : bool
        Whether its cells load the language-model pair.
    note : str
        What must be said wherever its outcome is told, such as that other models were run than the paper's.
    formula : str
        The statement as a formula in LaTeX, without dollar signs; empty if words say it better.
    digest : mapping
        Tables that a run prints when it ends, each with the columns to show.

    Examples
    --------
    >>> from specproof.claims import Claim, Settings
    >>> claim = Claim("my.claim", "a note of ours", "One is one.", cells=lambda settings: [])
    >>> claim.cells(Settings())
    []
    """

    id: str
    source: str
    statement: str
    cells: Callable[[Settings], list[Cell]]
    conclude: Callable[[CellContext], Findings] | None = None
    conclusions: int = 0
    needs_models: bool = False
    note: str = ""
    formula: str = ""
    digest: Mapping[str, Sequence[str]] = field(default_factory=dict)
