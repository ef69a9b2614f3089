"""The host: one background process per workspace that keeps workers, the inbox and the monitors alive."""
