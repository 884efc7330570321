"""One file a package: ten lines that give its verifier the signature of a contract, and call it as its engine does."""
