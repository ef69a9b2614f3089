"""Expectation suites: proposed from a version, edited as YAML, checked on every new version of their dataset."""
