"""What whole draft trees can yield, and what rules for them reach."""
