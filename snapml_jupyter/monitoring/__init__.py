"""Monitoring: how far columns moved, windows of live predictions, labels that come later, alerts."""
