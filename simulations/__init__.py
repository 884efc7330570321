"""Samplers, statistics, language models and experiments."""
