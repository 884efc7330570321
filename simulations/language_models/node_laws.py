"""The laws of a model at the nodes of trees that follow texts, read a depth at a time for all texts together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from specproof.simulations.language_models.model import start
from specproof.simulations.language_models.next_token_model import NextTokenModel
from specproof.simulations.language_models.texts import Prompts
from specproof.theory.distribution import Array
from specproof.theory.errors import InvalidInput
from specproof.theory.trees.draft_trees import Node


class NodeLaws:
    """What a model says after each text and after the nodes that were read below it.

    Parameters
    ----------
    model : NextTokenModel
    texts : list of lists of int
        Texts that the trees follow, none of them empty. The laws at the roots are read at once.
    """

    def __init__(self, model: NextTokenModel, texts: Prompts) -> None:
        self._texts, pending = start(model, texts)
        self._rows: dict[tuple[int, Node], int] = {(text, ()): text for text in range(len(texts))}
        self._laws: dict[tuple[int, Node], Array] = {}
        self._read(list(self._rows), pending.tolist())

    def read(self, nodes: Sequence[Iterable[Node]]) -> None:
        """Read nodes one deeper than the last ones, for each text those below nodes that were read last.

        Raises
        ------
        InvalidInput
            If the node before one of them was not read last.
        """
        wanted = [(text, node) for text, its in enumerate(nodes) for node in dict.fromkeys(its)]
        for text, node in wanted:
            if (text, node[:-1]) not in self._rows:
                raise InvalidInput(f"node {node} of text {text} does not follow one that was read last: read in order")
        if wanted:
            rows = [self._rows[text, node[:-1]] for text, node in wanted]
            self._texts.select(torch.tensor(rows, device=self._texts.model.device))
            self._rows = {node: row for row, node in enumerate(wanted)}
            self._read(wanted, [node[-1] for _, node in wanted])

    def at(self, text: int, node: Node) -> Array:
        """The law after a node of a text, shape (V,)."""
        return self._laws[text, node]

    @torch.inference_mode()
    def _read(self, nodes: list[tuple[int, Node]], tokens: list[int]) -> None:
        column = torch.tensor(tokens, device=self._texts.model.device)[:, None]
        logits = self._texts.append(column, torch.ones_like(column, dtype=torch.bool), last=1)[:, -1]
        self._laws.update(zip(nodes, self._texts.model.law(logits).cpu().numpy(), strict=True))
