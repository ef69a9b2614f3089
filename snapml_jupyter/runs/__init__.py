"""What you can do with runs: start and record them, ask for them, keep and load their models."""
