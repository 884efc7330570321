"""``specproof bound`` has a row for every rule of one position, and says what is not lossless or not computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specproof.theory.one_position import one_position_rules, registry


def saved(folder: Path, draft: np.ndarray, target: np.ndarray) -> list[Any]:
    """Both arrays in files, as the options of the command."""
    words: list[Any] = []
    for name, values in (("draft", draft), ("target", target)):
        np.save(folder / f"{name}.npy", values)
        words += [f"--{name}", folder / f"{name}.npy"]
    return words


def test_every_rule_has_a_row_and_is_compared_with_the_optimum_of_its_drafts(command: Any, tmp_path: Path) -> None:
    words = ["bound", *saved(tmp_path, np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])), "--num-drafts"]
    table = command(*words, 2).out
    rows = {row[1]: row[3::2] for row in map(str.split, table.splitlines()) if row and row[0] == "\u2502"}
    assert set(rows) == set(one_position_rules())
    found = json.loads(command(*words, 2, "--json").out)
    assert set(found["rules"]) == set(found["acceptance"]) == set(rows)
    assert not any(rule["not_computed"] for rule in found["rules"].values())
    # Certain tokens 0 and 1: 0.2 + 0.3. Token 0 and one of the others by 0.6 and 0.4: 0.2 + 0.3 + 0.4.
    for name, acceptance in (("target-walk", 0.5), ("argmax", 0.2), ("top-and-one", 0.9), ("spechub", 0.9)):
        assert found["acceptance"][name] == pytest.approx(acceptance, abs=1e-15)
        assert table.count(f"\u2502 {name} ") == 1
    assert {name for name, rule in found["rules"].items() if not rule["is_lossless"]} == {"spectr-gbv"}
    assert "not lossless" in next(line for line in table.splitlines() if "\u2502 spectr-gbv" in line)
    assert list(found["rules"])[-1] == "spectr-gbv"
    best = found["acceptance"]["optimal_distinct"]
    share = found["acceptance"]["recursive_distinct"] / best
    assert f"{share:.2%}" in next(line for line in table.splitlines() if "recursive_distinct" in line)


def test_a_rule_that_is_not_computed_says_why_in_its_row(command: Any, tmp_path: Path) -> None:
    rows = np.zeros((3, 3000))
    rows[1, :4] = 50.0  # four tokens have all the probability but for nothing
    words = ["bound", *saved(tmp_path, rows, rows[::-1]), "--logits", "--num-drafts", 3]
    table = command(*words).out
    for name in ("spechub", "gumbel-list", "recursive_distinct"):
        assert "not computed" in next(line for line in table.splitlines() if f"\u2502 {name} " in line)
    assert "gumbel-list: not computed: num_drafts is 3 and 3,000 tokens can be drafted, and of more than 2,048" in table
    assert "spechub: not computed: num_drafts is 3, and spechub takes 2: give num_drafts=2" in table
    found = json.loads(command(*words, "--json").out)
    assert {name for name, rule in found["rules"].items() if rule["not_computed"]} == {
        "spechub",
        "gumbel-list",
        "recursive_distinct",
    }
    filtered = json.loads(command(*words, "--top-k", 40, "--top-p", 0.01, "--num-drafts", 2, "--json").out)
    assert set(filtered["acceptance"]) == set(one_position_rules())


def test_a_rule_of_a_plugin_has_a_row(command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry._REGISTERED, "_items", dict(registry._REGISTERED))
    (tmp_path / "my_rule.py").write_text(
        "from dataclasses import replace\n"
        "from specproof import one_position_rules, register_one_position_rule\n"
        "register_one_position_rule(replace(one_position_rules()['argmax'], name='mine', is_lossless=False))\n"
    )
    words = ["bound", *saved(tmp_path, np.array([0.75, 0.25]), np.array([0.5, 0.5]))]
    out = command(*words, "--plugin", tmp_path / "my_rule.py").out
    (row,) = (line.split() for line in out.splitlines() if "\u2502 mine " in line)
    assert row[1:-1] == ["mine", "\u2502", "top", "1", "\u2502", "0.500000", "\u2502", "not", "lossless"]
