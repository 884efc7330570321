"""The same command as ``python -m specproof``."""

from specproof.cli import main

if __name__ == "__main__":
    main()
