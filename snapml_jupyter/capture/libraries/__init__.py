"""Watching libraries other than scikit-learn: one module a library, none of which imports it."""
