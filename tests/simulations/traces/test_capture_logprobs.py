"""Traces from log-probabilities: every form of the same numbers gives the same trace, and others are refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specproof.simulations.traces.capture_arrays import capture_arrays
from specproof.simulations.traces.capture_logprobs import capture_logprobs
from specproof.simulations.traces.trace import Trace
from specproof.theory.errors import InvalidInput
from specproof.theory.sampling_settings import SamplingSettings

V, T = 6, 4
TEXT = [2, 0, 5, 1]


def laws(seed: int) -> np.ndarray:
    """Log-probabilities of all tokens along the text, shape (T, V)."""
    logits = 1.5 * np.random.default_rng(seed).standard_normal((T, V))
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


DRAFT, TARGET = laws(1), laws(2)


def top(law: np.ndarray, count: int) -> list[int]:
    return [int(token) for token in np.argsort(-law)[:count]]


def plain(scores: np.ndarray) -> Any:
    return [float(law[token]) for law, token in zip(scores, TEXT, strict=True)]


def chat(scores: np.ndarray, count: int = 3) -> Any:
    def entry(law: np.ndarray, token: int) -> dict[str, Any]:
        return {"token": f"t{token}", "logprob": float(law[token]), "bytes": [116, 48 + token]}

    return {
        "content": [
            {**entry(law, token), "top_logprobs": [entry(law, each) for each in top(law, count)]}
            for law, token in zip(scores, TEXT, strict=True)
        ]
    }


def completion(scores: np.ndarray, count: int = 3) -> Any:
    return {
        "tokens": [f"t{token}" for token in TEXT],
        "token_logprobs": plain(scores),
        "top_logprobs": [{f"t{each}": float(law[each]) for each in top(law, count)} for law in scores],
        "text_offset": [0, 2, 4, 6],
    }


def prompt_logprobs(scores: np.ndarray, count: int = 3) -> Any:
    def facts(law: np.ndarray, token: int) -> dict[str, Any]:
        return {"logprob": float(law[token]), "rank": int((law > law[token]).sum()) + 1, "decoded_token": f"t{token}"}

    return [None] + [
        {str(each): facts(law, each) for each in (token, *(other for other in top(law, count) if other != token))}
        for law, token in zip(scores, TEXT, strict=True)
    ]


def response(logprobs: Any, **choice: Any) -> Any:
    return {"id": "x", "object": "chat.completion", "choices": [{"index": 0, "logprobs": logprobs, **choice}]}


def table(draft: Any, target: Any) -> Any:
    return capture_logprobs([{"draft": draft, "target": target}]).table


def full() -> Trace:
    return capture_arrays(DRAFT, TARGET, TEXT, num_drafts=0)


@pytest.mark.parametrize("form", [plain, chat, completion, prompt_logprobs], ids=lambda form: form.__name__)
def test_every_form_gives_the_log_probabilities_of_the_text_s_own_tokens(form: Any) -> None:
    wanted = full().table
    for made in (
        table(form(DRAFT), form(TARGET)),
        table(plain(DRAFT), form(TARGET)),
        table(form(DRAFT), plain(TARGET)),
    ):
        for name in ("draft_logprob", "target_logprob"):
            np.testing.assert_allclose(made[name], wanted[name], rtol=1e-12)
        assert (made["overlap_low"] <= wanted["overlap"]).all()
        assert (made["overlap_high"] >= wanted["overlap"] - 1e-12).all()
        assert made["position"].tolist() == list(range(T))
        assert not [name for name in made if name.startswith(("agreement", "accepted"))]


@pytest.mark.parametrize("form", [chat, completion, prompt_logprobs], ids=lambda form: form.__name__)
def test_lists_of_all_tokens_decide_overlap_and_rank(form: Any) -> None:
    made, wanted = table(form(DRAFT, V), form(TARGET, V)), full().table
    for name in ("overlap", "overlap_low", "overlap_high"):
        np.testing.assert_allclose(made[name], wanted["overlap"], rtol=1e-6)
    decided = made["draft_rank"] >= 0
    assert (made["draft_rank"] == wanted["draft_rank"])[decided].all()
    assert decided.sum() >= T - 1  # the least likely of a list may stand there because it is the text's own


def test_shorter_lists_bound_the_overlap_and_leave_some_ranks_open() -> None:
    made, wanted = table(chat(DRAFT), chat(TARGET)), full().table
    assert made["overlap"].isna().all()
    assert (made["overlap_high"] - made["overlap_low"]).max() < 0.6
    assert set(made["draft_rank"]) - {-1} <= set(wanted["draft_rank"])
    assert (table(prompt_logprobs(DRAFT), chat(TARGET))["draft_rank"] == wanted["draft_rank"]).all()


def test_whole_responses_are_read_and_tell_whether_the_text_ended() -> None:
    for reason, ended in (("stop", True), ("length", False)):
        trace = capture_logprobs(
            [
                {
                    "id": "greeting",
                    "draft": {"choices": [{"prompt_logprobs": prompt_logprobs(DRAFT), "logprobs": None}]},
                    "target": response(chat(TARGET), finish_reason=reason),
                },
                {"draft": response(completion(DRAFT)), "target": completion(TARGET), "ended": True},
                {"draft": response(None) | {"prompt_logprobs": prompt_logprobs(DRAFT)}, "target": plain(TARGET)},
            ]
        )
        assert [(text.name, text.tokens, text.ended) for text in trace.header.texts] == [
            ("greeting", T, ended),
            ("1", T, True),
            ("2", T, False),
        ]
        for _, rows in trace.texts():
            np.testing.assert_allclose(rows["draft_logprob"], plain(DRAFT))


def test_a_prompt_that_only_one_model_was_asked_about_is_left_out() -> None:
    asked = [None, {"9": {"logprob": -3.0, "rank": 9, "decoded_token": "prompt"}}, *prompt_logprobs(DRAFT)[1:]]
    echoed = {"tokens": ["a", "b", *completion(DRAFT)["tokens"]], "token_logprobs": [None, -3.0, *plain(DRAFT)]}
    for draft in (asked, echoed):
        made = table(draft, chat(TARGET))
        np.testing.assert_allclose(made["draft_logprob"], plain(DRAFT))
        with pytest.raises(
            InvalidInput, match="field draft has 5 tokens and field target 4: give the same text to both"
        ):
            table(draft, prompt_logprobs(TARGET))
    assert table(asked, [None, asked[1], *prompt_logprobs(TARGET)[1:]])["token"].tolist() == [
        9,
        *TEXT,
    ]


def test_ids_are_kept_where_a_server_tells_them() -> None:
    assert table(prompt_logprobs(DRAFT), plain(TARGET))["token"].tolist() == TEXT
    assert table(plain(DRAFT), plain(TARGET))["token"].tolist() == [-1] * T
    as_ids = json.loads(json.dumps(chat(TARGET)).replace('"t', '"token_id:').replace('"token_id:o', '"to'))
    assert table(prompt_logprobs(DRAFT), as_ids)["token"].tolist() == TEXT


def test_rounding_above_zero_is_none_and_what_the_draft_never_proposes_stays(tmp_path: Path) -> None:
    made = table([5e-7, -9999.0, -math.inf], [-1e-9, -0.5, -0.25])
    assert made["draft_logprob"].tolist() == [0.0, -math.inf, -math.inf]
    assert made["overlap_low"].tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-8)
    trace = capture_logprobs(
        [{"draft": [-1.0], "target": [-2.0]}], tmp_path / "t", settings=SamplingSettings(0.5, top_p=0.9)
    )
    read = Trace.read(tmp_path / "t")
    assert read.header == trace.header
    assert (read.header.settings.top_p, read.header.draft_temperatures, read.header.num_drafts) == (0.9, (0.5,), 0)
    assert read.header.source == "logprobs"


def test_lines_of_a_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "scored.jsonl"
    lines = [{"id": 7, "draft": chat(DRAFT), "target": chat(TARGET)}, {"draft": plain(DRAFT), "target": plain(TARGET)}]
    path.write_text("\n\n".join(map(json.dumps, lines)))
    trace = capture_logprobs(path)
    assert [text.name for text in trace.header.texts] == ["7", "3"]
    assert trace.header.models == str(path)
    assert len(trace.table) == 2 * T


GOOD = {"draft": [-1.0, -2.0], "target": [-0.5, -0.25]}


def with_chat(field: str, value: Any) -> Any:
    made = chat(TARGET)
    made["content"][2][field] = value
    return {"draft": plain(DRAFT), "target": made}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("nothing", "line 2 is 'nothing': give an object with draft and target"),
        ({"draft": [-1.0]}, "line 2 has no field 'target': give what both models say of the text"),
        ({**GOOD, "draft": [-1.0, 0.25]}, r"line 2, field draft\[1\] is 0.25: a log-probability is at most 0"),
        ({**GOOD, "draft": [-1.0, math.nan]}, r"line 2, field draft\[1\] is nan: a log-probability is a number of at"),
        ({**GOOD, "draft": [-1.0, None]}, r"line 2, field draft\[1\] is None: a log-probability is a number"),
        ({**GOOD, "draft": [-1.0, "-2"]}, r"line 2, field draft\[1\] is '-2': a log-probability is a number"),
        ({**GOOD, "draft": [-1.0, True]}, r"line 2, field draft\[1\] is True: a log-probability is a number"),
        (
            {**GOOD, "target": [-1.0, -math.inf]},
            "line 2, position 1: the token has target probability 0: the text was not",
        ),
        ({**GOOD, "target": [-9999.0, -1.0]}, "line 2, position 0: the token has target probability 0"),
        ({**GOOD, "target": [-1.0]}, "line 2: field draft has 2 tokens and field target 1: give the same text to both"),
        ({"draft": [], "target": []}, "line 2, field draft has no tokens: give at least one, or leave the text out"),
        ({**GOOD, "target": -1.0}, "line 2, field target is -1.0: give a list of log-probabilities"),
        ({**GOOD, "target": {}}, "line 2, field target has none of the fields content, token_logprobs"),
        ({**GOOD, "target": {"choices": []}}, "line 2, field target has none of the fields"),
        ({**GOOD, "target": response(None)}, r"line 2, field target\.choices\[0\] has none of the fields"),
        ({**GOOD, "target": {"choices": [3]}}, r"line 2, field target\.choices\[0\] is 3: give a list"),
        (
            with_chat("logprob", 0.5),
            r"line 2, field target\.content\[2\]\.logprob is 0.5: a log-probability is at most 0",
        ),
        (
            with_chat("top_logprobs", [3]),
            r"line 2, field target\.content\[2\]\.top_logprobs\[0\] is 3: it must be an obj",
        ),
        (
            with_chat("top_logprobs", [{"token": t, "logprob": -0.1} for t in "ab"]),
            r"line 2, position 2: the probabilities that field target lists add up to 1\.\d+: give natural logarithms",
        ),
        (
            {"draft": {**completion(DRAFT), "tokens": ["t2", "t0", "x", "t1"]}, "target": chat(TARGET)},
            "line 2, position 2: the token is 'x' in field draft and 't5' in field target: give the same text to both",
        ),
        (
            {"draft": {**completion(DRAFT), "tokens": ["a"]}, "target": plain(TARGET)},
            r"line 2, field draft\.tokens is \[",
        ),
        (
            {**GOOD, "draft": [{"a": {"logprob": -1.0}}, {}]},
            r"line 2, field draft\[0\]\['a'\] is .*: it must be a token id",
        ),
        (
            {**GOOD, "draft": [{"1": {"logprob": -1.0}}, {}]},
            r"line 2, field draft\[1\] is \{\}: it must be an object of",
        ),
        ({**GOOD, "ended": "yes"}, "line 2, field ended is 'yes': it is true or false"),
    ],
)
def test_texts_that_cannot_be_read_are_refused_by_line_field_and_value(tmp_path: Path, entry: Any, said: str) -> None:
    path = tmp_path / "scored.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{json.dumps(entry)}\n")
    with pytest.raises(InvalidInput, match=f"scored.jsonl, {said}") as refused:
        capture_logprobs(path, tmp_path / "trace.parquet")
    assert "\n" not in str(refused.value)
    assert [each.name for each in tmp_path.iterdir()] == ["scored.jsonl"]


def test_a_file_that_was_cut_is_refused_at_its_last_line(tmp_path: Path) -> None:
    path = tmp_path / "scored.jsonl"
    path.write_text((json.dumps(GOOD) + "\n") * 3)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(
        InvalidInput, match=r"scored.jsonl, line 3 is not JSON \(.*\): it was cut off, so write it anew or"
    ):
        capture_logprobs(path)
    path.write_text("{]\n" + json.dumps(GOOD))
    with pytest.raises(InvalidInput, match=r"line 1 is not JSON \(.*\): write one object a line$"):
        capture_logprobs(path)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"missing.jsonl cannot be read \(No such file or directory\): give a file"):
        capture_logprobs(tmp_path / "missing.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "\xe9"}\n')
    with pytest.raises(InvalidInput, match=r"latin.jsonl is not UTF-8 at byte 8: save it as UTF-8 text"):
        capture_logprobs(tmp_path / "latin.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n\n")
    with pytest.raises(InvalidInput, match=r"empty.jsonl holds no text: give at least one"):
        capture_logprobs(tmp_path / "empty.jsonl")
