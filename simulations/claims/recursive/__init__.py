"""Recursive rejection: with replacement (Miao et al. 2023, SpecInfer) and without (Jeon et al. 2024)."""

SOURCE = "Miao et al. 2023, arXiv 2305.09781; Jeon et al. 2024, arXiv 2402.14160"
