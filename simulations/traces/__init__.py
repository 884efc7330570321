"""Traces: target text with what both models say along it, from which every rule's acceptance and speed follow."""
