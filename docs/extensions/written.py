"""Pages that are written from registries and public names when the site is built, so that none can go stale."""

import shutil
from functools import cache
from importlib import import_module

import gallery

from specproof.figures.registry import FIGURES
from specproof.simulations.claims.registry import CLAIMS
from specproof.simulations.claims.trees.decided import table_of_decisions
from specproof.theory.trees.rules import TREE_VERIFIERS

MODULES = (
    "specproof",
    "specproof.theory",
    "specproof.conformance",
    "specproof.traces",
    "specproof.transformers",
    "specproof.claims",
    "specproof.figures",
)
"""The public modules, in the order in which they are read."""


def write_pages(folder):
    """Write claims, gallery, the rules for drafted trees and the reference of every public name."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "api").mkdir(parents=True)
    (folder / "claims.md").write_text(_claims(), encoding="utf-8")
    (folder / "gallery.md").write_text(_gallery(), encoding="utf-8")
    (folder / "trees.md").write_text(_trees(), encoding="utf-8")
    seen = {}
    for module in MODULES:
        (folder / "api" / f"{module}.md").write_text(_reference(module, seen), encoding="utf-8")


@cache
def public_names():
    """Give every public name in full, with what it names."""
    return {f"{module}.{name}": getattr(import_module(module), name) for module in MODULES for name in _names(module)}


def _claims():
    lines = ["# Claims", "", f"The {len(CLAIMS)} claims that `specproof reproduce` gathers evidence for.", ""]
    for claim in CLAIMS:
        lines += [f"## {claim.id}", "", _prose(claim.statement), ""]
        lines += ["$$", claim.formula, "$$", ""] if claim.formula else []
        lines += [f"Source: {_prose(claim.source)}.", ""]
        lines += [f"*Note.* {_prose(claim.note.removesuffix('.'))}.", ""] if claim.note else []
        figures = [figure.id for figure in FIGURES if figure.claim == claim.id]
        drawn = [f"[{name}](gallery.md#{_anchor(name)})" for name in figures]
        lines += [f"Figures: {', '.join(drawn)}.", ""] if drawn else []
        lines += ["```sh", f"specproof reproduce {claim.id}", "```", ""]
    return "\n".join(lines)


def _gallery():
    lines = ["# Gallery", "", "Every figure, the claim whose tables it draws, and the command that draws it.", ""]
    for figure in FIGURES:
        lines += [f"## {figure.id}", "", _prose(figure.statement), ""]
        lines += [f"![{_prose(figure.statement)}]({gallery.picture(figure)})", ""]
        lines += [f"Source: {_prose(figure.source)}. Claim: [{figure.claim}](claims.md#{_anchor(figure.claim)}).", ""]
        lines += ["```sh", f"specproof reproduce {figure.id}", "```", ""]
    return "\n".join(lines)


OPTIMAL = """
What is said to be optimal, and what is: the expected number of accepted tokens that is reached, and the most that any
lossless rule accepts of the same drafts, on two tokens of which the first has probability p under the draft and q under
the target at each position. The claim [judge.share-of-block-optimum](claims.md#judgeshare-of-block-optimum) checks all.
"""


def _trees():
    lines = ["# Rules for drafted trees", "", "Every rule that `call_law` knows, with what it drafts:", ""]
    lines += ["| rule | name | trees | source |", "| --- | --- | --- | --- |"]
    for rule in TREE_VERIFIERS.values():
        label = rule.label if rule.is_lossless else f"{rule.label}, **not lossless** as published"
        lines.append(f"| {label} | `{rule.name}` | {rule.draws} | {_prose(rule.source)} |")
    lines += [OPTIMAL, "| statement | holds | where | reached | possible |", "| --- | --- | --- | --- | --- |"]
    for row in table_of_decisions():
        holds, statement = "yes" if row["holds"] else "no", _prose(row["statement"])
        lines.append(f"| {statement} | {holds} | {row['where']} | {row['reached']} | {row['possible']} |")
    return "\n".join([*lines, ""])


def _names(module):
    names = import_module(module).__all__
    if module == "specproof":  # the theory's names, which it hands out too, have a page of their own
        theory = set(import_module("specproof.theory").__all__)
        names = [name for name in names if name not in theory]
    return sorted(names, key=str.lower)


def _reference(module, seen):
    lines = [f"# {module}", "", "```{eval-rst}", f".. automodule:: {module}", "   :no-members:", ""]
    for name in _names(module):
        lines += [*_entry(module, name, seen), ""]
    return "\n".join([*lines, "```", ""])


def _entry(module, name, seen):
    """Document a name, or lead to the page that has the same under another module."""
    thing = getattr(import_module(module), name)
    known = next((full for full, other in seen.items() if other is thing), None)
    if known is not None:
        return [f"``{module}.{name}`` is :py:obj:`{known}`."]
    seen[f"{module}.{name}"] = thing
    if isinstance(thing, type):
        return [f".. autoclass:: {module}.{name}", "   :members:"]
    kind = "autofunction" if callable(thing) else "autodata"
    return [f".. {kind}:: {module}.{name}"]


def _prose(text):
    """Keep what Markdown would take for marks as it is written."""
    for mark in "\\*_[]<>^":
        text = text.replace(mark, f"\\{mark}")
    return text


def _anchor(heading):
    return heading.replace(".", "").lower()
