"""Published statements as objects: each claim knows its source and how to gather evidence for and against itself."""
