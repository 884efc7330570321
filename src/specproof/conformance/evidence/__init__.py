"""What the emitted tokens say: e-processes against exact laws, dependence of trials, and what could be detected."""
