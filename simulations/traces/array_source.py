"""Logits and tokens in arrays or .npy files, checked once for shapes and then read a few rows at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specproof.simulations.mapped_array import mapped_array
from specproof.theory.arrays import as_real
from specproof.theory.display import shown
from specproof.theory.errors import InvalidInput, entry, first_entry

AFTER_END = -1
"""What stands in the place of tokens after a text's end."""


@dataclass(frozen=True)
class NamedArray:
    """An array with the name that messages call it by."""

    name: str
    values: NDArray[Any]
    file: Path | None
    """The file that it is mapped from."""
    one_text: bool = False
    """Whether it was given without an axis of texts, which was then added."""

    def place(self, *index: int) -> str:
        """Name an entry as the caller knows it."""
        return entry(self.name, index[1:] if self.one_text else index)


def open_array(given: ArrayLike | str | Path, name: str) -> NamedArray:
    """Take an array, or map a .npy file into memory.

    Raises
    ------
    InvalidInput
        If the file cannot be read, or it is no array of real numbers.
    """
    if not isinstance(given, str | Path):
        return NamedArray(name, as_real(given, name), None)
    path = Path(given)
    return NamedArray(str(path), mapped_array(path, name), path)


@dataclass(frozen=True)
class ArraySource:
    """Texts with the logits of both models, over the longer of the two vocabularies."""

    draft: NamedArray
    """Logits of shape (N, T, V) or with a V of its own."""
    target: NamedArray
    tokens: NamedArray
    """Ids of shape (N, T), -1 after a text's end."""
    sizes: tuple[int, ...]
    """How many tokens each text has."""

    @property
    def vocabulary(self) -> int:
        """The longer of the two vocabularies."""
        return max(int(array.values.shape[-1]) for array in (self.draft, self.target))

    @property
    def ended(self) -> tuple[bool, ...]:
        """Which texts are shorter than the arrays, and so ended by themselves."""
        return tuple(size < self.tokens.values.shape[1] for size in self.sizes)

    def logits(self, array: NamedArray, text: int, first: int, last: int) -> NDArray[Any]:
        """Read rows of one text, padded by -inf to the vocabulary of both.

        Raises
        ------
        InvalidInput
            If a logit is NaN or +inf, or a whole row is -inf.
        """
        block = array.values[text, first:last]
        peaks = block.max(axis=-1)  # not finite if anything in the row is wrong
        if not np.isfinite(peaks).all():
            _refuse_row(array, text, first, block, peaks)
        missing = self.vocabulary - block.shape[-1]
        if not missing:
            return block
        kind = np.result_type(block.dtype, np.float16)
        return np.pad(block.astype(kind), ((0, 0), (0, missing)), constant_values=-np.inf)

    def refuse_impossible(self, text: int, first: int, target: NDArray[np.float64]) -> None:
        """Refuse tokens of target probability 0 among rows that begin at ``first``.

        Raises
        ------
        InvalidInput
            Naming the first of them.
        """
        tokens = self.tokens.values[text, first : first + len(target)]
        impossible = target[np.arange(len(target)), tokens] == 0
        if impossible.any():
            place = int(np.argmax(impossible))
            raise InvalidInput(
                f"{self.tokens.place(text, first + place)} = {tokens[place]} has target probability 0: the text was "
                "not sampled from this target at these settings, so give the settings that it was sampled with, and in "
                "row t the logits of token t"
            )


def open_source(
    draft: ArrayLike | str | Path, target: ArrayLike | str | Path, tokens: ArrayLike | str | Path
) -> ArraySource:
    """Open three arrays, and check that they fit each other.

    Raises
    ------
    InvalidInput
        If an array cannot be read, its shape does not fit the others, a token is not one of the vocabulary, a text goes
        on after its end or has no tokens.
    """
    ids = open_array(tokens, "tokens")
    if ids.values.dtype.kind not in "iu" or ids.values.ndim not in (1, 2) or ids.values.size == 0:
        raise InvalidInput(
            f"{ids.name} has dtype {ids.values.dtype} and shape {ids.values.shape}: it must hold integer ids, of shape "
            "(T,) or (N, T)"
        )
    logits = [open_array(given, name) for given, name in ((draft, "draft_logits"), (target, "target_logits"))]
    for array in logits:
        if array.values.shape[:-1] != ids.values.shape or array.values.shape[-1] == 0:
            raise InvalidInput(
                f"{array.name} has shape {array.values.shape}, but {ids.name} has {ids.values.shape}: "
                "give a row of logits for each token, the row of token t at t"
            )
    vocabulary = max(int(array.values.shape[-1]) for array in logits)
    draft_rows, target_rows, texts = (_with_texts(array, ids.values.ndim == 1) for array in (*logits, ids))
    return ArraySource(draft_rows, target_rows, texts, _sizes(texts, vocabulary))


def _with_texts(array: NamedArray, one_text: bool) -> NamedArray:
    values = array.values[np.newaxis] if one_text else array.values
    return NamedArray(array.name, values, array.file, one_text)


def _sizes(tokens: NamedArray, vocabulary: int) -> tuple[int, ...]:
    """Count the tokens of each text, and refuse ids that are none."""
    wrong = (tokens.values < AFTER_END) | (tokens.values >= vocabulary)
    if wrong.any():
        _, index = first_entry(wrong, tokens.name)
        raise InvalidInput(
            f"{tokens.place(*index)} = {shown(int(tokens.values[index]))} is not one of {vocabulary} tokens: ids lie "
            f"in 0..{vocabulary - 1}, and {AFTER_END} stands after a text's end"
        )
    present = tokens.values != AFTER_END
    sizes = present.sum(axis=1)
    late = present & (np.arange(tokens.values.shape[1]) >= sizes[:, np.newaxis])
    if late.any():
        _, index = first_entry(late, tokens.name)
        raise InvalidInput(
            f"{tokens.place(*index)} = {int(tokens.values[index])} stands after {AFTER_END}, the end of its text: "
            f"put {AFTER_END} only after the last token"
        )
    if not sizes.all():
        where = tokens.place(int(np.argmin(sizes)), 0)
        raise InvalidInput(f"{where} = {AFTER_END}: the text has no tokens, so leave it out")
    return tuple(sizes.tolist())


def _refuse_row(array: NamedArray, text: int, first: int, block: NDArray[Any], peaks: NDArray[Any]) -> None:
    """Name the entry that makes a row unusable."""
    row = int(np.argmax(~np.isfinite(peaks)))
    wrong = np.isnan(block[row]) | (block[row] == np.inf)
    if not wrong.any():
        raise InvalidInput(f"{array.place(text, first + row)} is -inf at every token: leave it some token")
    token = int(np.argmax(wrong))
    raise InvalidInput(
        f"{array.place(text, first + row, token)} = {block[row, token]} is not a logit: logits are finite numbers or "
        "-inf"
    )
