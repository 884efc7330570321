"""Yin, Chen, Huang and Wang, "A Theoretical Perspective for Speculative Decoding Algorithm" (NeurIPS 2024)."""

SOURCE = "Yin et al. 2024, arXiv 2411.00841"
