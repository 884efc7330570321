"""What is asked of a sampler: small known laws, the inputs drawn from them, and the laws that must come out.

A contract is a member of :class:`~specproof.conformance.contract.Contract` and a subclass of :class:`Problem` in a file
of its own; nothing else in the kit knows one contract from another, but for the references and defects that are written
for it.

==================================  ==================================================================================
problem, two_models                 what every problem can do, and what problems of verifiers and of tables share
chain_problem, multi_problem,
tree_problem, round_problem,
generate_problem                    a contract each: its inputs, its well-formed answers, its laws, its examples
ladder, degenerate_pairs,
chain_examples, tree_examples,
text_examples, example_models       the problems that are asked, and the laws that they are made of
emitted_rows, padding, topology     rows that end early, ragged batches, and shapes of trees
answers, next_token, drawing,
description                         what a sampler returned, models as forward passes, compiled draws, problems in words
==================================  ==================================================================================
"""

from specproof.conformance.contract import Contract
from specproof.conformance.problems.chain_problem import ChainProblem
from specproof.conformance.problems.drawing import Tokens
from specproof.conformance.problems.generate_problem import GenerateProblem
from specproof.conformance.problems.ladder import PROBLEMS, degenerate_problems, ladder
from specproof.conformance.problems.multi_problem import MultiProblem
from specproof.conformance.problems.next_token import next_token_law
from specproof.conformance.problems.problem import Inputs, Problem, VerifierProblem
from specproof.conformance.problems.round_problem import RoundProblem
from specproof.conformance.problems.tree_problem import TreeInputs, TreeProblem

__all__ = [
    "PROBLEMS",
    "ChainProblem",
    "Contract",
    "GenerateProblem",
    "Inputs",
    "MultiProblem",
    "Problem",
    "RoundProblem",
    "Tokens",
    "TreeInputs",
    "TreeProblem",
    "VerifierProblem",
    "degenerate_problems",
    "ladder",
    "next_token_law",
]
