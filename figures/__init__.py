"""Figures: each draws what an evidence table says and computes nothing."""
