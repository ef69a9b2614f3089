"""How things are kept: the only SQL and the only file writes in the project."""
