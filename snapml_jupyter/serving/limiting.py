"""Checking what an endpoint is asked to allow."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from .. import wire
from ..domain.endpoint import EndpointInfo
from ..domain.errors import InvalidInputError, NotFoundError
from ..domain.traffic import EndpointSettings

#: Most workers of one host: blocks that they share for limits (`usage.MAX_WORKERS`), less those of a host before it.
MAX_WORKERS = 16


def changed(settings: EndpointSettings, changes: dict[str, Any]) -> EndpointSettings:
    """The settings with some of them, by name, replaced. Raises NotFoundError, InvalidInputError naming the setting."""
    known = [field.name for field in fields(settings)]
    for name in changes:
        if name not in known:
            raise NotFoundError.of("setting", name, known, f"An endpoint has {', '.join(known)}.")
    given: EndpointSettings = wire.decode(
        {**wire.encode(settings), **changes}, EndpointSettings, "settings of the endpoint"
    )
    return replace(settings, **{name: getattr(given, name) for name in changes})


def check_settings(endpoint: EndpointInfo | None, settings: EndpointSettings) -> None:
    """Raise InvalidInputError for a setting that makes no sense, by its name."""
    for name in (
        "rate_per_second",
        "quota_per_day",
        "max_rows",
        "max_body_bytes",
        "timeout_seconds",
        "min_workers",
        "max_workers",
    ):
        value = getattr(settings, name)
        if value is not None and not value > 0:
            raise InvalidInputError(f"{name} must be above 0, or none for no limit; it is {value:g}.")
    if (settings.min_workers or 1) > (settings.max_workers or MAX_WORKERS) or (settings.max_workers or 1) > MAX_WORKERS:
        raise InvalidInputError(f"There can be 1 to {MAX_WORKERS} workers, and min_workers not above max_workers.")
    if not 0.0 <= settings.sample_fraction <= 1.0:
        raise InvalidInputError(f"sample_fraction lies between 0 and 1; it is {settings.sample_fraction:g}.")
    if settings.sticky is not None and not settings.sticky.replace("-", "").isalnum():
        raise InvalidInputError(f"sticky is 'key' or the name of a header; it is {settings.sticky!r}.")
    for origin in settings.cors_origins:
        if origin != "*" and not origin.startswith(("http://", "https://")):
            raise InvalidInputError(f"cors_origins are '*' or like https://example.org; one is {origin!r}.")
    live = endpoint.live if endpoint is not None else None
    if live is not None:
        known = [column.name for column in live.signature.inputs]
        for column in settings.sensitive:
            if column not in known:
                raise NotFoundError.of("column", column, known, f"{live.model_ref} takes: {', '.join(known)}.")
