"""All figures, in the order they are listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from specproof.figures import (
    acceptance,
    batch,
    block_efficiency,
    block_efficiency_map,
    block_efficiency_real,
    families,
    improvement,
    loss_against_tv,
    opt_uno,
    pareto,
    priority_coupling,
    rejections,
    share_of_optimum,
    transport_plan,
    worst_share,
)
from specproof.figures.style import save, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FigureSpec:
    """A figure and where its data comes from.

    Attributes
    ----------
    id : str
    source, statement : str
        What it is after, and what it shows, one line each.
    claim : str
        The claim whose experiment makes the table.
    tables : tuple of str
        Names of the tables it draws.
    draw : callable
        Takes the tables as data frames, in that order.
    """

    id: str
    source: str
    statement: str
    claim: str
    tables: tuple[str, ...]
    draw: Callable[..., Figure]

    def make(self, tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
        """Draw the tables and save the figure under its own name."""
        drawn = {name: tables[name] for name in self.tables}
        with styled():
            return save(self.draw(*drawn.values()), folder, self.id.removeprefix("figure."), drawn)


FIGURES: tuple[FigureSpec, ...] = (
    FigureSpec(
        "figure.rejections",
        "after Yin et al. 2024, the simulation figure, left panel",
        "Mean rejections over N simulated runs converge to Theorem 1 on a non-stationary chain.",
        "yin2024.theorem1",
        ("convergence",),
        rejections.draw,
    ),
    FigureSpec(
        "figure.batch",
        "after Yin et al. 2024, the simulation figure, middle and right panels",
        "Mean rejections with batches of 4 and 5 drafts converge to Theorem 3, and fall with M to a limit above 0.",
        "yin2024.theorem3",
        ("convergence", "against_drafts", "against_drafts_simulated"),
        batch.draw,
    ),
    FigureSpec(
        "figure.batch-improvement",
        "after Yin et al. 2024, the batch improvement figure",
        "What a batch of M drafts saves at one position, for Bernoulli and uniform pairs, with the closed forms.",
        "yin2024.theorem3",
        ("improvement", "improvement_simulated"),
        improvement.draw,
    ),
    FigureSpec(
        "figure.pareto",
        "after Yin et al. 2024, the Pareto figure",
        "Rejection against bias: the line, what nothing reaches, and OPT and UNO swept over the threshold.",
        "yin2024.theorem5",
        ("sweep", "simulated"),
        pareto.draw,
    ),
    FigureSpec(
        "figure.opt-uno",
        "after Yin et al. 2024, Table 1, on a pair of language models",
        "Bias and rejection of OPT and UNO against the threshold, exact at each position, and OPT's win rate.",
        "yin2024.opt-uno",
        ("trade_off", "win_rate"),
        opt_uno.draw,
    ),
    FigureSpec(
        "figure.worst-share",
        "Sun et al. 2023, the guarantee of Algorithm 2",
        "The smallest share of the optimum that K-SEQ accepts, found and in closed form, above 1 - 1/e for every k.",
        "spectr2023.kseq-guarantee",
        ("worst_share", "worst_instances"),
        worst_share.draw,
    ),
    FigureSpec(
        "figure.acceptance-synthetic",
        "Sun et al. 2023, section 3, on families of laws",
        "Acceptance of every rule against the number of drafts: two tokens, uniform, Zipf and Dirichlet laws.",
        "spectr2023.concavity",
        ("families",),
        families.draw,
    ),
    FigureSpec(
        "figure.priority-coupling",
        "docs/priority-coupling.md",
        "One priority coupling of three drafts: the tokens' sets, what each wins, and the rates beside the target.",
        "priority.tiling",
        ("profile", "tokens"),
        priority_coupling.draw,
    ),
    FigureSpec(
        "figure.share-of-optimum",
        "docs/priority-coupling.md, on pairs of language models",
        "The share of the optimum that the rules for several drafts accept, by draft, temperature and cut.",
        "priority.gain",
        ("shares",),
        share_of_optimum.draw,
    ),
    FigureSpec(
        "figure.loss-against-tv",
        "docs/priority-coupling.md, on pairs of language models",
        "What K-SEQ and recursive rejection lose to the optimum at each position, against TV, and how they lose it.",
        "priority.gain",
        ("losses",),
        loss_against_tv.draw,
    ),
    FigureSpec(
        "figure.transport-plan",
        "after Sun et al. 2023, section 3",
        "An optimal transport plan of two drafts over five tokens: what is accepted, what is rejected, what proves it.",
        "spectr2023.otm-lp",
        ("plan", "sets", "tokens"),
        transport_plan.draw,
    ),
    FigureSpec(
        "figure.block-efficiency",
        "Sun et al. 2023, Algorithm 3, on a Markov chain",
        "Tokens per target call against the number and the length of draft sequences: exact, and simulated.",
        "spectr2023.block-efficiency",
        ("efficiency", "simulated"),
        block_efficiency.draw,
    ),
    FigureSpec(
        "figure.block-efficiency-map",
        "Sun et al. 2023, Algorithm 3, on a Markov chain",
        "Exact tokens per target call and accepted share for every number and length of draft sequences, by verifier.",
        "spectr2023.block-efficiency",
        ("efficiency",),
        block_efficiency_map.draw,
    ),
    FigureSpec(
        "figure.acceptance",
        "Sun et al. 2023, on a pair of language models",
        "Acceptance of every rule against the number of drafts on real logits, next to the optimum.",
        "real.acceptance",
        ("acceptance",),
        acceptance.draw,
    ),
    FigureSpec(
        "figure.block-efficiency-real",
        "Sun et al. 2023, Table 1, on a pair of language models",
        "Tokens per target call against the number of draft sequences, and what they gain on the clock.",
        "real.block-efficiency",
        ("block_efficiency", "paper"),
        block_efficiency_real.draw,
    ),
)
