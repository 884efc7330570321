"""Exact mathematics of speculative decoding: pure functions of arrays, without I/O and without hidden randomness."""
