"""What a failure may come of, guessed from its words: a function that was made to be called in another way."""

from __future__ import annotations

import re

from specproof.conformance.contract import Contract
from specproof.conformance.report.check_result import CheckResult
from specproof.conformance.report.finding import Verdict

_ROWS = ("draft_probs", "target_probs", "draft_tokens", "rng")
HANDED = {
    Contract.CHAIN: _ROWS,
    Contract.MULTI: _ROWS,
    Contract.TREE: ("tree", "target_probs", "draft_probs", "rng"),
    Contract.ROUND: ("draft_model", "target_model", "prefix", "length", "rng"),
    Contract.GENERATE: ("draft_model", "target_model", "prompt", "length", "n", "rng"),
}
"""What a function is called with by position, in each contract."""
IN_A_THREAD = (
    r"main thread|created in a thread|no current event loop|requires grad",
    "calls come from another thread than the import: make what belongs to a thread, such as torch.no_grad(), a "
    "connection or an event loop, in the call",
)
OF_ARRAYS = (
    (
        r"numpy\.random\._generator\.Generator",
        "rng is a NumPy generator, whatever the arrays: seed another library's by int(rng.integers(2**63))",
    ),
    (
        r"'numpy\.ndarray' object has no attribute|Tensor.* (not|got) numpy\.|- got \(.*numpy\.|keyword argument 'dim'|"
        r"'int' object is not callable|Cannot interpret '-?\d+' as a data type",
        "does it take tensors? See --arrays torch",
    ),
    (
        r"'Tensor' object has no attribute|Cannot interpret 'torch\.|keyword argument '(axis|keepdims)'|"
        r"'builtin_function_or_method'|array_api_compat\.torch",
        "does it take NumPy arrays? They are handed without --arrays torch",
    ),
)
"""What is raised where arrays are of another library, and what to do."""
OF_ITS_PARAMETERS = r"TypeError: .*(positional|keyword-only) argument|TypeError: .*got multiple values for argument"
"""What is raised, at no place of the function's, where it cannot be called at all."""
OF_ANOTHER_CONTRACT = r"'(?!NoneType)\w[\w.]*' object is not |its shape must be|no array of shape"
"""What comes of another contract's arguments, or answers."""
OF_NO_CONTRACT = r" is a (NoneType|\w*generator|coroutine|Future|Task|int|float|bool|str|dict)\b"
"""What is no answer in any contract."""


def hint(report: CheckResult) -> str:
    """Guess from the words of a failure what the function was not made for; empty without a guess."""
    if not report.findings:
        return ""
    found = report.findings[0]
    crashes = found.verdict is Verdict.CRASHES
    if crashes and re.search(IN_A_THREAD[0], found.text):
        return IN_A_THREAD[1]
    if crashes and report.contract == Contract.TREE and "NoneType" in found.text:
        return "is it draft_probs? It may be None: raise Unsupported there"
    if report.calls != 1:
        return ""
    return _of_the_first_call(found.text, crashes, Contract(report.contract))


def _of_the_first_call(text: str, crashes: bool, contract: Contract) -> str:
    if crashes and re.search(OF_ITS_PARAMETERS, text) and not re.search(r" at \S+:\d+$", text):
        handed = HANDED[contract]
        called = f"it is called by position with {len(handed)} arguments, {', '.join(handed)}: wrap it"
        others = [it for it in HANDED if it is not contract and len(HANDED[it]) == _number_taken(text, len(handed))]
        return f"{called}; or is its contract {' or '.join(others)}? See --contract" if others else called
    for signs, advice in OF_ARRAYS if crashes else ():
        if re.search(signs, text):
            return advice
    if re.search(OF_ANOTHER_CONTRACT, text) and not re.search(OF_NO_CONTRACT, text):
        others = [it for it in HANDED if it is not contract]
        return f"it failed on its very first call: is its contract {' or '.join(others)}? See --contract"
    return ""


def _number_taken(text: str, handed: int) -> int:
    """Read how many arguments by position a function takes that was handed so many; 0 if it is not said."""
    if said := re.search(r"takes (?:from \d+ to )?(\d+) positional arguments? but (\d+)", text):
        return int(said[1]) - (int(said[2]) - handed)  # a method has been given itself
    missing = re.search(r"missing (\d+) required positional", text)
    return handed + int(missing[1]) if missing else 0
