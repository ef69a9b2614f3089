"""Profiles: mergeable summaries of a table's columns, kept as bytes. whylogs lives in this package alone."""

from __future__ import annotations

from .summary import summarise_profile
from .tables import merge_profiles, profile_table

__all__ = ["merge_profiles", "profile_table", "summarise_profile"]
