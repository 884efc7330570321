"""Claims about reach weights along texts of the target, the calls that texts take, and block verification."""

SOURCE = "specproof.theory.texts"
