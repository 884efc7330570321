"""Verifiers that others wrote, under the conformance kit: one adapter each, never a copy of their code."""
