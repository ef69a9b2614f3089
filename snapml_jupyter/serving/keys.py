"""API keys: `snapml_` and 32 random bytes. Shown once; only their SHA-256 is kept anywhere."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = "snapml_"


def new_key() -> str:
    """A fresh key, 256 bits of it random, in characters that are safe in headers and shells."""
    return PREFIX + secrets.token_urlsafe(32)


def new_key_id() -> str:
    """The public name of a key."""
    return "key-" + secrets.token_hex(6)


def hash_key(key: str | bytes) -> str:
    """SHA-256 as hex. A random 256-bit key needs no salt and no slow hash: it cannot be guessed."""
    return hashlib.sha256(key.encode() if isinstance(key, str) else key).hexdigest()
