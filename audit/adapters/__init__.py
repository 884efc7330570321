"""Each adapter gives a verifier of a package the signature of a contract, and calls it as its engine does."""
