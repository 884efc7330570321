"""Slow second routes to what theory states: compared with in tests and claims, and nowhere else.

Each is named *what* by *how*: by enumerating every branch or every set of tokens, by rational numbers, or by a solver
that is told the problem as one writes it on paper. They share no formula with what they are compared with.
"""
