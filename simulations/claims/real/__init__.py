"""What the theory says about a pair of language models, position by position."""
