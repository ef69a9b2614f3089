"""Endpoints: deploying a model version, the workers that answer requests, and the client in the notebook."""
