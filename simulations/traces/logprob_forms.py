"""Log-probabilities of a text's tokens in the forms that OpenAI-compatible servers return them in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput

ROUNDING = 1e-6
"""A log-probability above 0 by at most this is taken for 0."""

NEVER = -9999.0
"""Servers write this for minus infinity, which JSON does not have."""

TOKEN_ID = re.compile(r"token_id:(\d+)")
"""How vLLM writes a token as its id, if it is asked to."""

FORMS = (
    "a list of log-probabilities, a 'logprobs' object of a chat or of a completion, a list 'prompt_logprobs', or a "
    "whole response"
)


class Listed(NamedTuple):
    """A token whose log-probability a server has told."""

    text: str | None
    token: int | None
    """Its id, where it is told."""
    logprob: float


class Scored(NamedTuple):
    """A position of a text, as one model scored it."""

    chosen: Listed
    """The text's own token."""
    others: tuple[Listed, ...] = ()
    """The likeliest tokens that were listed beside it."""
    rank: int | None = None
    """How many tokens the server says are likelier than the text's own."""


class ScoredText(NamedTuple):
    """A text as one model scored it."""

    positions: list[Scored]
    with_prompt: bool
    """Whether it begins with tokens of the prompt, the first of which nothing is known about."""
    ended: bool | None
    """Whether the text ended by itself, where that is told."""


def read_scores(value: Any, where: str) -> ScoredText:
    """Read what a model says of a text.

    Parameters
    ----------
    value : JSON value
        One of ``FORMS``.
    where : str
        What messages call it.

    Raises
    ------
    InvalidInput
        If it is none of them, or a number in it is no log-probability; the message names the field.
    """
    if isinstance(value, list):
        whole = any(isinstance(each, dict) for each in value)
        positions = list((_of_prompt if whole else _plain)(value, where))
        return ScoredText(positions, len(positions) < len(value), None)
    if not isinstance(value, dict):
        raise InvalidInput(f"{where} is {shown(value)}: give {FORMS}")
    if isinstance(value.get("content"), list):
        return ScoredText(list(_of_chat(value["content"], f"{where}.content")), False, None)
    if isinstance(value.get("token_logprobs"), list):
        positions = list(_of_completion(value, where))
        return ScoredText(positions, len(positions) < len(value["token_logprobs"]), None)
    for field in ("logprobs", "prompt_logprobs"):
        if value.get(field) is not None:
            read = read_scores(value[field], f"{where}.{field}")
            return read._replace(ended=_ended(value.get("finish_reason")))
    if isinstance(value.get("choices"), list) and value["choices"]:
        # A chat's prompt_logprobs stand beside its choices, so that choices without any are passed over.
        inner = {**value, **value["choices"][0]} if isinstance(value["choices"][0], dict) else value["choices"][0]
        return read_scores({**inner, "choices": None} if isinstance(inner, dict) else inner, f"{where}.choices[0]")
    raise InvalidInput(f"{where} has none of the fields content, token_logprobs, logprobs, choices: give {FORMS}")


def _ended(reason: Any) -> bool | None:
    return None if reason is None else reason == "stop"


def _plain(values: list[Any], where: str) -> Iterator[Scored]:
    for number, value in _known(values):
        yield Scored(Listed(None, None, logprob(value, f"{where}[{number}]")))


def _of_chat(entries: list[Any], where: str) -> Iterator[Scored]:
    for number, entry in enumerate(entries):
        place = f"{where}[{number}]"
        chosen = _listed(entry, place)
        listed = entry.get("top_logprobs") or ()
        others = [_listed(other, f"{place}.top_logprobs[{rank}]") for rank, other in enumerate(listed)]
        yield Scored(chosen, _without(chosen, others))


def _listed(entry: Any, where: str) -> Listed:
    if not isinstance(entry, dict) or "logprob" not in entry:
        raise InvalidInput(f"{where} is {shown(entry)}: it must be an object with a token and its logprob")
    return _named(entry.get("token"), logprob(entry["logprob"], f"{where}.logprob"))


def _of_completion(entry: dict[str, Any], where: str) -> Iterator[Scored]:
    values = entry["token_logprobs"]
    tokens, lists = (entry.get(field) or [None] * len(values) for field in ("tokens", "top_logprobs"))
    for field, given in (("tokens", tokens), ("top_logprobs", lists)):
        if not isinstance(given, list) or len(given) != len(values):
            raise InvalidInput(
                f"{where}.{field} is {shown(given)}, but there are {len(values)} token_logprobs: give one for each"
            )
    for number, value in _known(values):
        chosen = _named(tokens[number], logprob(value, f"{where}.token_logprobs[{number}]"))
        place = f"{where}.top_logprobs[{number}]"
        listed = (lists[number] or {}).items()
        others = [_named(token, logprob(each, f"{place}[{token!r}]")) for token, each in listed]
        yield Scored(chosen, _without(chosen, others))


def _of_prompt(entries: list[Any], where: str) -> Iterator[Scored]:
    """Read vLLM's ``prompt_logprobs``: the token of the text is the first of each object."""
    for number, entry in _known(entries):
        place = f"{where}[{number}]"
        if not isinstance(entry, dict) or not entry:
            raise InvalidInput(f"{place} is {shown(entry)}: it must be an object of token ids")
        listed = []
        for token, facts in entry.items():
            inner = f"{place}[{token!r}]"
            if not token.isdecimal() or not isinstance(facts, dict) or "logprob" not in facts:
                raise InvalidInput(f"{inner} is {shown(facts)}: it must be a token id with its logprob")
            text = facts.get("decoded_token")
            listed.append(Listed(text, int(token), logprob(facts["logprob"], f"{inner}.logprob")))
        rank = next(iter(entry.values())).get("rank")
        yield Scored(listed[0], tuple(listed[1:]), rank - 1 if isinstance(rank, int) and rank >= 1 else None)


def _known(values: list[Any]) -> Iterator[tuple[int, Any]]:
    """Number the entries, and pass over the first where it is null: no distribution leads to a prompt's first token."""
    return ((number, value) for number, value in enumerate(values) if number or value is not None)


def _named(token: Any, value: float) -> Listed:
    text = token if isinstance(token, str) else None
    written = TOKEN_ID.fullmatch(text or "")
    return Listed(None, int(written[1]), value) if written else Listed(text, None, value)


def _without(chosen: Listed, listed: list[Listed]) -> tuple[Listed, ...]:
    """Take the text's own token out of a list that has it."""
    names = [(each.text, each.token) for each in listed]
    own = (chosen.text, chosen.token)
    if own in names:
        del listed[names.index(own)]
    return tuple(listed)


def logprob(value: Any, where: str) -> float:
    """Check one log-probability; a server's -9999 is minus infinity.

    Raises
    ------
    InvalidInput
        If it is no number, NaN, or above 0 by more than rounding.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or math.isnan(value):
        raise InvalidInput(f"{where} is {shown(value)}: a log-probability is a number of at most 0")
    if value > ROUNDING:
        raise InvalidInput(
            f"{where} is {shown(value)}: a log-probability is at most 0, so give logarithms of probabilities, no logits"
        )
    return -math.inf if value <= NEVER else min(float(value), 0.0)
