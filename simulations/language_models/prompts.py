"""Prompts to decode from: a set of our own, or the user's, as JSON lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from specproof.theory.errors import InvalidInput

FIELDS = {"id": str, "kind": str, "text": str, "chat": bool}


@dataclass(frozen=True)
class Prompt:
    """One line of a prompt file."""

    text: str
    """What the model is asked, or given to go on with."""
    id: str
    """What the prompt is called in tables."""
    kind: str = ""
    """What sort of prompt it is, for the reader of tables."""
    chat: bool = False
    """Whether it is put to the model as a chat message, through the tokenizer's template, or as text to go on with."""


def load_prompts(path: str | Path | None = None) -> list[Prompt]:
    """Read prompts from a file of JSON lines, by default the set that comes with the package.

    Parameters
    ----------
    path : path, optional
        One JSON object a line, with ``text`` and optionally ``id`` (default: the line number), ``kind`` and ``chat``
        (default: false). Blank lines are passed over; fields of other names are ignored.

    Raises
    ------
    InvalidInput
        If the file cannot be read, holds no prompt, or a line is not such an object; the message names the file, the
        line and the field.
    """
    source = Path(path) if path is not None else files(__package__) / "prompts.jsonl"
    try:
        lines = source.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise InvalidInput(
            f"prompts file {source} cannot be read ({error.strerror}): give a file of JSON lines"
        ) from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"prompts file {source} is not UTF-8 at byte {error.start}: save it as UTF-8 text") from None
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    prompts = [_prompt(line, number, f"{source}, line {number}") for number, line in numbered]
    if not prompts:
        raise InvalidInput(f'prompts file {source} holds no prompt: write lines such as {{"text": "Once upon a time"}}')
    return prompts


def encode(prompts: list[Prompt], tokenizer: Any) -> list[list[int]]:
    """Turn prompts into token ids, chat prompts through the tokenizer's template if it has one.

    Raises
    ------
    InvalidInput
        If a prompt comes to no tokens at all.
    """
    encoded = [_encode(prompt, tokenizer) for prompt in prompts]
    for prompt, tokens in zip(prompts, encoded, strict=True):
        if not tokens:
            raise InvalidInput(f"prompt {prompt.id} ({prompt.text!r}) encodes to no tokens: give it some text")
    return encoded


def _encode(prompt: Prompt, tokenizer: Any) -> list[int]:
    if prompt.chat and getattr(tokenizer, "chat_template", None):
        message = [{"role": "user", "content": prompt.text}]
        return list(tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=False))
    return list(tokenizer(prompt.text)["input_ids"])


def _prompt(line: str, number: int, where: str) -> Prompt:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise InvalidInput(f"{where} is not JSON ({error}): write one object a line") from None
    if not isinstance(entry, dict):
        raise InvalidInput(f'{where} is not a JSON object: write it as {{"text": ...}}')
    if "text" not in entry:
        raise InvalidInput(f"{where} has no field 'text': that is the prompt, and the only field needed")
    for field, kind in FIELDS.items():
        if field in entry and not isinstance(entry[field], kind):
            raise InvalidInput(f"{where}, field {field!r} is {entry[field]!r}: it must be of type {kind.__name__}")
    return Prompt(**{"id": str(number)} | {field: entry[field] for field in FIELDS if field in entry})
