"""A sticky chain: how much a draft that forgets its context is rejected."""

from specproof import MarkovChain, expected_rejections, total_variation
from specproof.claims import Cell, Claim, FigureSpec, Findings, Method, check_mean, from_check, within
from specproof.figures import draw_lines
from specproof.simulations.samplers.rejections import simulate_tables, step_tables

HORIZON = 20
DRAFT = MarkovChain([0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]], HORIZON)


def sticky(stay):
    """A target that repeats its last token with this probability."""
    return MarkovChain([0.5, 0.5], [[stay, 1 - stay], [1 - stay, stay]], HORIZON)


def exact(context):
    """Compare the recursion of Theorem 1 with the closed form: each of 19 steps is rejected with |stay - 1/2|."""
    rows = []
    for stay in (0.5, 0.7, 0.9):
        closed = (HORIZON - 1) * total_variation([0.5, 0.5], [stay, 1 - stay])
        found = expected_rejections(DRAFT, sticky(stay))
        rows.append(within("rejections", exact=closed, estimate=found, tolerance=1e-12, stay=stay))
    return Findings(rows)


def simulation(context, runs):
    """Decode and count; the broken control is compared with a target that is a little less sticky."""
    rows, points = [], []
    for stay in (0.6, 0.7, 0.8, 0.9):
        decoded = simulate_tables(step_tables(DRAFT, sticky(stay)), HORIZON, runs, context.rng)
        counts = decoded.rejected.sum(axis=1).astype(float)
        for stated, method in ((stay, Method.SIMULATION), (stay - 0.05, Method.CONTROL)):
            value = expected_rejections(DRAFT, sticky(stated))
            check = check_mean(counts, 0, HORIZON, value, context.level)
            rows.append(
                from_check("mean", check, level=context.level, resolution=0.3, method=method, stay=stay, stated=stated)
            )
        points += [
            {"stay": stay, "rejections": float(counts.mean()), "found by": "simulation"},
            {"stay": stay, "rejections": float(expected_rejections(DRAFT, sticky(stay))), "found by": "Theorem 1"},
        ]
    return Findings(rows, {"points": points})


def cells(settings):
    """A quick run decodes 100,000 times at each stickiness."""
    return [
        Cell("my.sticky", "exact", exact),
        Cell("my.sticky", "simulation", simulation, {"runs": settings.sized(10**5, 10**7)}, tests=4),
    ]


def draw(points):
    """Draw rejections against stickiness."""
    return draw_lines(points, "stay", "rejections", by="found by")


CLAIM = Claim(
    "my.sticky",
    "my notes",
    "A draft that forgets is rejected at each step with the distance of the target from a fair coin.",
    cells,
    formula=r"\mathbb{E}[N]=(T-1)\,\left|s-\frac{1}{2}\right|",
)
FIGURE = FigureSpec("figure.my-sticky", "my notes", "Rejections by stickiness.", CLAIM.id, ("points",), draw)
