"""The error that a caller can cause and mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command imports this module before it knows whether numbers are needed
    import numpy as np
    from numpy.typing import NDArray


class InvalidInput(ValueError):
    """An argument that cannot be used.

    The message is one line that names the argument, the offending index and value where there is one, and the
    remedy. The command prints it as it stands and ends with exit status 2.

    Examples
    --------
    >>> from specproof import InvalidInput, uniform
    >>> try:
    ...     uniform(0)
    ... except InvalidInput as error:
    ...     print(error)
    vocabulary is 0: it must be an integer >= 1
    """


def first_entry(bad: NDArray[np.bool_], name: str) -> tuple[str, tuple[int, ...]]:
    """The first marked entry of an argument: how a message names it, and its index."""
    import numpy as np

    index = tuple(int(i) for i in np.unravel_index(np.argmax(bad), bad.shape))
    return entry(name, index), index


def entry(name: str, index: tuple[int, ...]) -> str:
    """``name[i, j]``, or the name alone of a single number."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name
