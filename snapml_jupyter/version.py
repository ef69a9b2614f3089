"""The version, equal to the one in package.json; tests/test_packaging.py holds them together."""

__version__ = "0.1.0"
