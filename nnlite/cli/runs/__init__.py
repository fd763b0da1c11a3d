"""A training run of the command line: its settings, its folder, and what it has learned."""
