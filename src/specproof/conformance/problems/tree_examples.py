"""The problems of the contract ``tree``, by name."""

from __future__ import annotations

from specproof.conformance.problems.example_models import (
    P3,
    P3_ROWS,
    Q3,
    Q3_ROWS,
    histories,
    independent,
    markov,
    near_each_other,
)
from specproof.conformance.problems.tree_problem import TreeProblem
from specproof.conformance.tree import Drawn

SIBLINGS, THREE_SIBLINGS = (-1, 0, 0), (-1, 0, 0, 0)
BRANCHES, TWINS, PATHS = (-1, 0, 0, 1, 2), (-1, 0, 0, 1, 1), (-1, 0, 1, 0, 3)
LONG_PATHS, BUSHY = (-1, 0, 1, 2, 0, 4, 5), (-1, 0, 0, 1, 1, 3, 3)
TWINS_TWICE, THIRD_TWINS = (-1, 0, 0, 1, 1, 2, 2), (-1, 0, 0, 0, 2, 3, 3)
_LEFT_IN_DOUBT = (0.05, 0.2, 0.25, 0.5), (0.2, 0.3, 0.45, 0.05), (0.4, 0.3, 0.2, 0.1)
"""A draft's law, and a target's of which two rejected siblings leave several tokens; then the one after a sibling."""


def tree_examples() -> dict[str, TreeProblem]:
    """Make the problems whose laws are tested, for each way of drawing the smallest first.

    Two of each shape fit into one batch; where children are not those of draft sequences, these have different trees,
    one of them with siblings on the second level that leave a token of three. Of certain drafts a second sibling's
    children are siblings, and a third's, and the target's rows after siblings differ there.
    """
    short, long = (markov(P3, P3_ROWS, Q3, Q3_ROWS, horizon=horizon) for horizon in (2, 3))
    pair = independent([(0.6, 0.3, 0.1)] * 2), independent([(0.2, 0.5, 0.3), (0.3, 0.2, 0.5)])
    history, four = histories(2, 4), (independent([_LEFT_IN_DOUBT[0]] * 2), independent(_LEFT_IN_DOUBT[1:]))
    listed: dict[str, TreeProblem] = {}
    for kind in Drawn:
        branches, twins, bushy = (PATHS, PATHS, LONG_PATHS) if kind is Drawn.PATHS else (BRANCHES, TWINS, BUSHY)
        asked = {
            "two siblings": TreeProblem(*short, SIBLINGS, kind),
            "two siblings, no memory": TreeProblem(*pair, SIBLINGS, kind),
        }
        if kind is not Drawn.PATHS:  # whose siblings of one level are those of independent ones
            asked["three siblings"] = TreeProblem(*four, THREE_SIBLINGS, kind)
            asked["three siblings, other laws"] = TreeProblem(*four[::-1], THREE_SIBLINGS, kind)
        asked |= {
            "two branches": TreeProblem(*long, branches, kind),
            "two branches, other laws": TreeProblem(*long[::-1], twins, kind),
            "three levels": TreeProblem(*history, bushy, kind),
            "three levels, other laws": TreeProblem(*history[::-1], LONG_PATHS, kind),
        }
        listed |= {f"{kind}, {name}": problem for name, problem in asked.items()}
    undeclared = {
        name.replace("certain,", "certain, no draft law,"): TreeProblem(*it.models, it.parents, it.kind, declared=False)
        for name, it in listed.items()
        if it.kind is Drawn.CERTAIN
    }
    listed["certain, two siblings with two children each"] = TreeProblem(*long, TWINS_TWICE, Drawn.CERTAIN)
    listed["certain, three siblings with children"] = TreeProblem(*long[::-1], THIRD_TWINS, Drawn.CERTAIN)
    near = {
        "iid, thirty-two tokens, draft near the target": TreeProblem(*near_each_other(), (-1, 0), Drawn.IID),
        "iid, thirty-two tokens, other laws": TreeProblem(*near_each_other()[::-1], (-1, 0), Drawn.IID),
    }
    return {**undeclared, **listed, **near}
