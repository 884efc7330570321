"""What runs in engines' own environments: it imports nothing of this project."""
