"""Running a recorded cell again in a clean process, and judging whether the result is the same."""
