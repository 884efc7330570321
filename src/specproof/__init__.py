"""specproof: exact theory, simulation and conformance tests for speculative decoding.

The exact mathematics is at hand from here. :mod:`specproof.theory` holds all of it, :mod:`specproof.simulations` the
samplers, language models and claims, :mod:`specproof.figures` what is drawn, and :mod:`specproof.conformance` the kit
that tests anybody's sampler.

A name is loaded when it is first asked for, so that importing the package, as every command does, costs nothing.
"""

from typing import TYPE_CHECKING

__version__ = "0.2.0"

if TYPE_CHECKING:
    from specproof.public import *  # noqa: F403
else:

    def __getattr__(name: str) -> object:
        """Hand out what :mod:`specproof.public` has imported."""
        if name != "__all__" and name.startswith("_"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import specproof.public as public

        if name != "__all__" and name not in public.__all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(public, name)

    def __dir__() -> list[str]:
        """List the public names, loaded or not."""
        return sorted({*globals(), *__getattr__("__all__")})
