"""Loops that Numba compiles: the one decorator for them, typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(
    *,
    error_model: Literal["python", "numpy"] = "python",
    fastmath: bool | set[str] = False,
    nogil: bool = False,
    inline: bool = False,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a function of numbers and arrays when it is first called, and keep the machine code for other processes.

    Where neither the folder of its module nor the user's cache can be written, as in a read-only installation without
    a home, each process compiles it anew.

    Parameters
    ----------
    error_model
        ``"python"`` raises ZeroDivisionError where a division by zero is met, ``"numpy"`` gives an infinity or NaN.
    fastmath
        The liberties that the compiler may take with floating-point arithmetic, by LLVM's names; none by default.
    nogil
        Whether other threads may run meanwhile, as where rows are shared out to them.
    inline
        Whether compiled callers take it in whole, as where a call would take as long as what it does.

    Returns
    -------
    Callable
        A decorator that keeps the function's signature.

    Examples
    --------
    >>> @compiled()
    ... def triangle(n: int) -> int:
    ...     total = 0
    ...     for i in range(n + 1):
    ...         total += i
    ...     return total
    >>> triangle(100)
    5050
    """

    def compile_function(function: Callable[P, R]) -> Callable[P, R]:
        made_in = "always" if inline else "never"
        options = {"error_model": error_model, "fastmath": fastmath, "nogil": nogil, "inline": made_in}
        try:
            made: Callable[P, R] = njit(cache=True, **options)(function)
        except RuntimeError:  # Numba finds no place to keep it in
            made = njit(**options)(function)
        return made

    return compile_function
