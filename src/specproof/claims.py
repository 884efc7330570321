'''What a claim of your own needs: this module is all that its file has to import.

A *claim* is one statement with the experiment that could refute it. The experiment is a list of *cells*, independent
pieces of work that are run in any order, in several processes, and kept as soon as they are finished. A cell's function
is handed a :class:`CellContext` (a random stream of its own, the false-alarm level of each test, and the tables of
cells that it needs) and its parameters; it returns :class:`Findings`: rows of evidence, and tables by name. A row is

- an exact comparison (:func:`within`, :func:`at_least`),
- a statistical test (:func:`from_check` of :func:`check_frequency`, :func:`check_law`, :func:`check_mean` or
  :func:`check_drift`), which its cell announces with ``tests=``,
- or, with ``method=Method.CONTROL``, either of these about something wrong on purpose: unless it is refuted the
  experiment shows nothing. Controls need not be announced.

A figure is a function of tables. The file below states that exact match, which accepts a draft if an independent draw
from the target agrees with it, accepts with probability sum p q. Saved as ``my_claims.py`` it is run by

    specproof reproduce my_claims.py:CLAIM

with the same store, level, seeds and report as ours; ids of ours may stand beside it. The tests of the run, ours and
yours, share its family-wise level of 1e-6 evenly, and an edit of the file runs its cells again.

Examples
--------
::

    """Exact match accepts with probability sum p q."""

    import numpy as np

    from specproof.claims import (
        Cell, Claim, FigureSpec, Findings, Method, check_frequency, from_check, new_figure, within,
    )

    DRAFT, TARGET = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    ACCEPTANCE = float(DRAFT @ TARGET)


    def exact(context):
        """Compare the formula with the diagonal of the joint law."""
        agree = float(np.trace(np.outer(DRAFT, TARGET)))
        return Findings([within("acceptance", exact=ACCEPTANCE, estimate=agree, tolerance=1e-12, tokens=3)])


    def simulation(context, trials):
        """Draw both tokens and count how often they agree; the broken control copies half of the drafts."""
        draft = context.rng.choice(3, size=trials, p=DRAFT)
        target = context.rng.choice(3, size=trials, p=TARGET)
        copied = np.where(context.rng.random(trials) < 0.5, draft, target)
        rows = []
        for quantity, drawn, method in (
            ("independent draws agree", target, Method.SIMULATION),
            ("draws agree, half of them copied", copied, Method.CONTROL),
        ):
            check = check_frequency(int((draft == drawn).sum()), trials, ACCEPTANCE, context.level)
            rows.append(from_check(quantity, check, level=context.level, resolution=0.02, method=method, tokens=3))
        seen = [
            {"token": token, "exact": float(DRAFT[token] * TARGET[token]), "seen": float(np.mean(both))}
            for token in range(3)
            for both in [(draft == token) & (target == token)]
        ]
        return Findings(rows, {"agreement": seen})


    def cells(settings):
        """A quick run draws 100,000 times, a full one 10,000,000 times."""
        return [
            Cell("my.exact-match", "exact", exact),
            Cell("my.exact-match", "simulation", simulation, {"trials": settings.sized(10**5, 10**7)}, tests=1),
        ]


    def draw(agreement):
        """Draw exact and seen probabilities of agreement by token."""
        figure = new_figure()
        axes = figure.add_subplot()
        axes.bar(agreement["token"], agreement["exact"], label="p q")
        axes.plot(agreement["token"], agreement["seen"], linestyle="", marker="o", color="black", label="seen")
        axes.set_xlabel("token")
        axes.set_ylabel("probability that both are the token")
        axes.legend()
        return figure


    CLAIM = Claim("my.exact-match", "my notes", "Exact match accepts with probability sum p q.", cells)
    FIGURE = FigureSpec(
        "figure.my-agreement", "my notes", "Agreement by token.", CLAIM.id, ("agreement",), draw
    )

See Also
--------
specproof.run_plan.plan_run : how a run is planned.
specproof.figures.style : the look of our figures.
'''

from specproof.figures.figure_spec import FigureSpec
from specproof.figures.style import by_rule, intervals, legend_below, new_figure
from specproof.simulations.claims.claim import FAMILY_LEVEL, Claim, Settings
from specproof.simulations.claims.worst import Least, Worst
from specproof.simulations.evidence import ClaimVerdict, Evidence, Method, at_least, from_check, within
from specproof.simulations.experiments.cell import Cell, CellContext, Findings, Records, run_cell
from specproof.simulations.statistics import (
    Check,
    binomial_interval,
    check_drift,
    check_frequency,
    check_law,
    check_mean,
    mean_interval,
)

__all__ = [
    "FAMILY_LEVEL",
    "Cell",
    "CellContext",
    "Check",
    "Claim",
    "ClaimVerdict",
    "Evidence",
    "FigureSpec",
    "Findings",
    "Least",
    "Method",
    "Records",
    "Settings",
    "Worst",
    "at_least",
    "binomial_interval",
    "by_rule",
    "check_drift",
    "check_frequency",
    "check_law",
    "check_mean",
    "from_check",
    "intervals",
    "legend_below",
    "mean_interval",
    "new_figure",
    "run_cell",
    "within",
]
