"""transformers: the assistant's vocabulary is handed over in the order of its ids."""

from __future__ import annotations

from functools import partial

from audit.adapters.transformers_tokenizers import OwnVocabulary, generate


class InOrder(OwnVocabulary):
    """A tokenizer whose vocabulary comes in the order of the ids, not in that of a hash."""

    def get_vocab(self) -> dict[str, int]:
        """Sort what the tokenizer gives."""
        return dict(sorted(super().get_vocab().items(), key=lambda entry: entry[1]))


in_order = partial(generate, tokenizer=InOrder)
"""Contract generate."""
