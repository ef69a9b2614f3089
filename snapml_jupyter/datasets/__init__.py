"""Dataset versions: every frame kept column by column, in chunks named by their content, and read back exactly."""
