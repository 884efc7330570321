"""The prompts that come with the package, the user's own, and turning them into tokens."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from specproof.simulations.language_models.prompts import Prompt, encode, load_prompts
from specproof.theory.errors import InvalidInput


def test_our_prompts_are_many_short_mixed_and_distinct() -> None:
    prompts = load_prompts()
    assert len(prompts) >= 48
    assert len({prompt.id for prompt in prompts}) == len({prompt.text for prompt in prompts}) == len(prompts)
    assert len({prompt.kind for prompt in prompts}) >= 12
    assert min(Counter(prompt.chat for prompt in prompts).values()) >= 16
    assert sum(len(prompt.text.split()) < 40 for prompt in prompts) > 0.9 * len(prompts)


def test_only_the_text_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(
        '{"text": "one"}\n\n{"text": "zwei \u2028", "chat": true, "id": "b", "source": 7}\n', encoding="utf-8"
    )
    assert load_prompts(path) == [Prompt("one", "1"), Prompt("zwei \u2028", "b", chat=True)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no prompt"),
        (b"\n \n", "holds no prompt"),
        (b'{"text": "a"}\n{"text": ', "line 2 is not JSON"),
        (b"[1]\n", "line 1 is not a JSON object"),
        (b'{"prompt": "a"}\n', "line 1 has no field 'text'"),
        (b'{"text": 3}\n', "line 1, field 'text' is 3: it must be of type str"),
        (b'{"text": "a", "chat": "yes"}\n', "line 1, field 'chat' is 'yes': it must be of type bool"),
        (b'{"text": "\xff"}\n', "not UTF-8 at byte 10"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=message) as caught:
        load_prompts(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(InvalidInput, match="cannot be read"):
            load_prompts(path)


def tokenizer(chat_template: str | None) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"?": 0, "user": 1, "go": 2, "on": 3, "assistant": 4}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="?")
    wrapped.chat_template = chat_template
    return wrapped


TEMPLATE = (
    "{% for m in messages %}{{ m.role + ' ' + m.content }}{% endfor %}"
    "{% if add_generation_prompt %} assistant{% endif %}"
)


def test_chat_prompts_go_through_the_template_and_raw_ones_do_not() -> None:
    prompts = [Prompt("go on", "a"), Prompt("go on", "b", chat=True)]
    assert encode(prompts, tokenizer(TEMPLATE)) == [[2, 3], [1, 2, 3, 4]]
    assert encode(prompts, tokenizer(None)) == [[2, 3], [2, 3]]


def test_a_prompt_without_tokens_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"prompt x .* encodes to no tokens"):
        encode([Prompt("go", "w"), Prompt("", "x")], tokenizer(None))
