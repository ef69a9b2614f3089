"""Tests that decide: the gates a model version must pass, the contract an endpoint must keep, and CI that runs both."""
