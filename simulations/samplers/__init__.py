"""Samplers, vectorised over trials: each draws from a law that theory/ states exactly."""
