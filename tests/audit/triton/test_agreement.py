"""The stand-in for Triton against Triton's own interpreter: every token, and a wrong stand-in is seen."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import numpy as np

from audit.adapters import sglang
from audit.package import is_fetched
from audit.registry import SUBJECTS
from audit.triton import agreement, interpreter, language


@pytest.mark.slow
@pytest.mark.skipif(
    not is_fetched(interpreter.WHEEL, *sglang.WHEELS),
    reason="Triton's wheel or SGLang's is not in the cache: python -m audit.triton.agreement fetches them",
)
def test_a_right_stand_in_agrees_and_a_wrong_one_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = agreement.interpreted(["sglang:chain"])
    monkeypatch.setattr(agreement, "interpreted", lambda functions: {name: theirs[name] for name in functions})
    ends = []
    for wrong in (False, True):
        if wrong:
            monkeypatch.setattr(language, "sum", lambda values, axis=0: language.value(np.sum(values[1:], axis=axis)))
        with pytest.raises(SystemExit) as ended:
            agreement.main(["sglang:chain"])
        ends.append(ended.value.code)
    assert ends == [0, 1]
    right, differing = capsys.readouterr().out.splitlines()
    assert right.startswith("sglang:chain")
    assert right.endswith(" tokens, 0 differ")
    assert not differing.endswith(" 0 differ")


def test_one_differing_token_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = np.array([3, 1, -1, -2]), np.array([3, 2, -1, -2])
    monkeypatch.setattr(agreement, "tokens", lambda _: ours)
    monkeypatch.setattr(agreement, "interpreted", lambda _: {"sglang:chain": theirs})
    with pytest.raises(SystemExit) as ended:
        agreement.main(["sglang:chain"])
    assert ended.value.code == 1
    assert capsys.readouterr().out.split() == ["sglang:chain", "3", "tokens,", "1", "differ"]


def test_what_is_not_audited_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        agreement.main(["sglang:chains"])
    assert ended.value.code == 2
    assert "error: sglang:chains is not audited: give some of sglang:chain, " in capsys.readouterr().err


def test_all_that_runs_by_the_stand_in_is_compared() -> None:
    assert set(agreement.FUNCTIONS) == {each.adapter for each in SUBJECTS if "stand-in for Triton" in each.assumes}
