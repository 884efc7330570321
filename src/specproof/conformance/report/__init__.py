"""What a check found, and how that is shown."""
