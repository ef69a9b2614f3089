"""Who did what: the audit chain, its verification, and the state of a workspace."""
