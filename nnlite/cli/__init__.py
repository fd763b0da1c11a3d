"""The command line: one file a command. Nothing here imports NumPy before it is needed."""
