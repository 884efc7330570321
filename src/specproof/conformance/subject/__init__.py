"""The function under test: how it is loaded, called within a time limit, and kept in a process of its own."""
