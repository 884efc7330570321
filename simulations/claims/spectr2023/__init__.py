"""Sun, Suresh, Ro, Beirami, Jain and Yu, "SpecTr: Fast Speculative Decoding via Optimal Transport" (NeurIPS 2023)."""

SOURCE = "Sun et al. 2023, arXiv 2310.15141"
