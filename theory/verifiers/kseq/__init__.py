"""K-SEQ (Sun et al. 2023, Algorithm 2): its law, a certificate of its acceptance, and its share of the optimum."""
