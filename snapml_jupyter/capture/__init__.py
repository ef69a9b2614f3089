"""Recording a cell while it runs: what it reads, what it fits and measures, what it prints, how it ends."""
