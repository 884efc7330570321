"""The rules that every module keeps."""

from __future__ import annotations

import ast
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = {"theory": "theory", "simulations": "simulations", "figures": "figures", "specproof": "src/specproof"}
FOLDERS = (*SHIPPED.values(), "audit", "benchmarks", "tests", "examples")
LONGEST_FUNCTION = 40
LONGEST_MODULE = 300

LINKS = {ROOT / "src" / "specproof" / name for name in ("theory", "simulations", "figures")}

NOT_KNOWN = {
    "theory": ("simulations", "figures", "conformance", "report", "cli"),
    "simulations": ("conformance", "figures", "report", "cli"),
    "figures": ("conformance", "report", "cli"),
}
"""What the modules of a folder must not import: arrows point one way."""

SAME_NAME = {
    "public": "the public names of a package, each time",
    "registry": "what is registered of a kind: each time the registry of its folder",
    "plan": "a transport plan, and the command that plans how to speculate",
    "blocks": "block verification: theory, sampler",
    "batch": "drafts anew after each rejection: theory, sampler, figure",
    "relaxed": "rules that accept more than is lossless: laws, sampler",
    "reach_weights": "reach weights along a text: theory, claim",
    "calls": "calls of the target given a text: theory, claim",
    "sequences": "draft sequences: theory, sampler",
    "priority_layers": "priority layer verification: theory, sampler",
    "certificate": "rational bounds: of the optimum, of K-SEQ",
    "orders": "priority orders: theory, sampler, claim",
    "tiling": "the tiling of the priority coupling: theory, claim",
    "recursive": "recursive rejection: theory, sampler",
    "recursive_without_replacement": "recursive rejection of distinct drafts: theory, sampler",
    "single": "one draft by maximal coupling: theory, sampler",
    "conclusion": "what the evidence comes to: of a claim, of a check",
    "lossless": "the claim of each verifier that it is lossless",
    "policies": "policies for one drafted token: formulas, claim",
    "relaxation": "what rules that are not lossless buy: claim, figure",
    "judge": "rules for trees against the block optimum: claim, figure",
    "acceptance": "acceptance on language models: claim, figure",
    "block_efficiency": "tokens per target call: claims, figure",
    "opt_uno": "OPT and UNO on language models: claim, figure",
    "rejections": "rejections over a horizon: sampler, figure",
    "bound": "the bound: what it computes, its command",
    "models": "models: the command that lists them, the strategies that draw them",
    "reproduce": "the reproduction: what it does, its command",
}
"""Names that several shipped modules have, and the one subject that they share."""


@cache
def modules() -> tuple[Path, ...]:
    """Every module of the checkout, once: links are not followed."""
    found = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    return tuple(path for path in found if not LINKS & set(path.parents))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def lines_of_code(path: Path) -> frozenset[int]:
    """The numbers of the lines that hold something else than space and comments."""
    empty = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    with path.open(encoding="utf-8") as file:
        held = [token for token in tokenize.generate_tokens(file.readline) if token.type not in empty]
    return frozenset(line for token in held for line in range(token.start[0], token.end[0] + 1))


def length(path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code in a function's body, without its docstring; of a short one, its lines."""
    body = function.body[ast.get_docstring(function) is not None :]
    inside = range(body[0].lineno, (function.end_lineno or 0) + 1) if body else range(0)
    # Only what may be too long is worth the reading of its comments.
    return len(lines_of_code(path).intersection(inside)) if len(inside) > LONGEST_FUNCTION else len(inside)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node: what they are made of, most of a tree, is not looked at."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from statements(child)


def imported(path: Path) -> Iterator[str]:
    """The full name of whatever a module imports, and of the names that it imports from there."""
    for node in statements(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.relative_to(ROOT)}:{node.lineno} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_are_modules_and_each_is_seen_once() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in modules()}
    assert {"theory/errors.py", "src/specproof/cli/app.py", "tests/house/test_rules.py"} <= names
    assert not any(name.startswith("src/specproof/theory/") for name in names)


def test_no_function_has_more_than_40_lines_of_code() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{node.name}": length(path, node)
        for path in modules()
        for node in statements(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.end_lineno - node.lineno >= LONGEST_FUNCTION
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_imports_are_absolute_and_of_full_names() -> None:
    bare = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules()
        for name in imported(path)
        if name.partition(".")[0] in ("theory", "simulations", "figures", "subjects", "src")
    }
    assert bare == set()


@pytest.mark.parametrize("folder", NOT_KNOWN)
def test_imports_point_one_way(folder: str) -> None:
    forbidden = tuple(f"specproof.{name}" for name in NOT_KNOWN[folder])
    backwards = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules()
        if path.is_relative_to(ROOT / SHIPPED[folder])
        for name in imported(path)
        if any(name == module or name.startswith(f"{module}.") for module in forbidden)
    }
    assert backwards == set()


def test_nothing_that_is_shipped_imports_what_is_not() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules()
        if any(path.is_relative_to(ROOT / folder) for folder in SHIPPED.values())
        for name in imported(path)
        if name.partition(".")[0] in ("audit", "benchmarks", "tests")
    }
    assert found == set()


def test_no_module_is_called_by_what_it_has_no_subject() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
    assert {path.relative_to(ROOT).as_posix() for path in modules() if path.stem in empty} == set()


def test_modules_of_one_name_have_one_subject() -> None:
    shipped = [path for path in modules() if any(path.is_relative_to(ROOT / folder) for folder in SHIPPED.values())]
    times = Counter(path.stem for path in shipped if not path.stem.startswith("__"))
    assert {name for name, count in times.items() if count > 1} == SAME_NAME.keys()


def test_modules_have_at_most_300_lines() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()
    }
    assert len(lengths) > 450
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def module_name(path: Path) -> str:
    """The full name under which a module of the checkout is imported."""
    relative = path.relative_to(ROOT).with_suffix("")
    parts = relative.parts[1:] if relative.parts[0] == "src" else ("specproof", *relative.parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_at_once(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """What a module imports while it is imported itself: not within functions, nor for type checkers alone."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from imported_at_once(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imported_at_once(
                part for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt | ast.excepthandler)
            )


def in_a_circle(imports: dict[str, set[str]]) -> set[str]:
    """The modules that are in a circle of imports, or lead to one: what is left once those without imports go."""
    left = {name: known & imports.keys() for name, known in imports.items()}
    while ready := {name for name, known in left.items() if not known & left.keys()}:
        left = {name: known for name, known in left.items() if name not in ready}
    return set(left)


def test_no_two_modules_of_the_product_import_each_other_in_a_circle() -> None:
    shipped = {
        module_name(path): path
        for path in modules()
        if any(path.is_relative_to(ROOT / folder) for folder in SHIPPED.values())
    }
    imports = {
        name: {
            known if known in shipped else known.rpartition(".")[0]
            for known in imported_at_once(tree(path).body)
            if known.startswith("specproof")
        }
        for name, path in shipped.items()
    }
    assert imports["specproof.theory.chain"] >= {"specproof.theory.distribution", "specproof.theory.errors"}
    assert in_a_circle(imports) == set()


def test_a_circle_is_seen_and_what_is_imported_later_is_none() -> None:
    assert in_a_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()}) == {"a", "b", "c"}
    assert in_a_circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == set()
    text = "import a\nif TYPE_CHECKING:\n    import b\ntry:\n    from c import d\nexcept E:\n    import e\n"
    assert list(imported_at_once(ast.parse(text + "def f():\n    import g\n").body)) == ["a", "c.d", "e"]
