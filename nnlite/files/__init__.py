"""Files that are whole or not there, and that need not be trusted."""
