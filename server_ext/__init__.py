"""The Jupyter server extension: every operation over HTTP, blobs, live events and the way to the endpoints."""
