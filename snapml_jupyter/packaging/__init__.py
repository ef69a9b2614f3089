"""The way out: an endpoint as files that Docker, KServe, Triton or MLflow serve without the workspace."""
