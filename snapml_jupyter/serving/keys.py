"""API keys: `snapml_` and 32 random bytes. Shown once; only their SHA-256 is kept anywhere."""

from __future__ import annotations

import binascii
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


def basic_key(authorization: bytes) -> bytes:
    """The password of 'Basic ...', empty when it is not that.

    Programs that cannot send a header of their own (MLflow's client) take a password from the URL or a netrc file.
    """
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return binascii.a2b_base64(encoded).partition(b":")[2]
    except binascii.Error:
        return b""
