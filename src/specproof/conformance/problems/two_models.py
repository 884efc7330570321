"""What problems with two tables have in common: their models, and what is read off them."""

from __future__ import annotations

from specproof.conformance.problems.example_models import Models
from specproof.theory.chain import TabularModel
from specproof.theory.distribution import Array


class TwoModels:
    """A problem whose draft and target are tables over one vocabulary."""

    draft: TabularModel
    target: TabularModel

    @property
    def models(self) -> Models:
        """The draft and the target."""
        return self.draft, self.target

    @property
    def tables(self) -> tuple[Array, ...]:
        """The conditionals of both models."""
        return (*self.draft.conditionals, *self.target.conditionals)

    @property
    def num_tokens(self) -> int:
        """V, the size of the vocabulary."""
        return self.draft.num_states
