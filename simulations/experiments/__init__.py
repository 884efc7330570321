"""Experiments: grids of independent cells that give the same result for any number of workers."""
