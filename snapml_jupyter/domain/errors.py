"""Every error SnapML raises on purpose. Each message says what failed, which name, and what to do.

The core knows no HTTP and no exit codes: a face maps `code` to its own language in one place.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SnapMLError(Exception):
    """Root of all deliberate errors. `code` is stable and travels over the wire."""

    code = "error"


class SnapMLWarning(UserWarning):
    """Something was left out that does not change the user's result, such as a metric that could not be written."""


class NotFoundError(SnapMLError):
    """A name or number that the workspace does not have."""

    code = "not_found"

    @classmethod
    def of(cls, kind: str, name: str, known: Iterable[str], hint: str = "") -> NotFoundError:
        """The usual sentence: what is missing, the closest known names, and what to do.

        >>> str(NotFoundError.of("model", "chrun", ["churn", "flights"]))
        "There is no model 'chrun'. Did you mean 'churn'?"
        """
        names = sorted(set(known))
        sentence = f"There is no {kind} '{name}'."
        close = get_close_matches(name, names, n=1)
        if close:
            sentence += f" Did you mean '{close[0]}'?"
        elif names:
            shown = ", ".join(f"'{n}'" for n in names[:8]) + (", ..." if len(names) > 8 else "")
            sentence += f" Known: {shown}."
        return cls(f"{sentence} {hint}".strip())


class InvalidInputError(SnapMLError):
    """An argument, name, reference or request that cannot be understood."""

    code = "invalid_input"


class ConflictError(SnapMLError):
    """The change contradicts what is recorded (a name taken, a param logged twice with other values)."""

    code = "conflict"


class PermissionDeniedError(SnapMLError):
    """The actor may not do this."""

    code = "permission_denied"


class UntrustedModelError(PermissionDeniedError):
    """Loading would execute code that another actor wrote."""

    code = "untrusted_model"


class CannotKeepError(SnapMLError):
    """Data that could not be read back exactly, so it is refused before anything is written."""

    code = "cannot_keep"


class DamagedContentError(SnapMLError):
    """Stored bytes no longer match their digest, or a referenced blob is gone."""

    code = "damaged_content"


class ExportError(SnapMLError):
    """A model that cannot become an ONNX graph; names the step and the alternatives."""

    code = "cannot_export"


class ParityError(ExportError):
    """The exported graph answers differently from the original model on real rows."""

    code = "parity_failed"


class UnavailableError(SnapMLError):
    """A process or server that should answer does not (host stopped, database locked, URL unreachable)."""

    code = "unavailable"


class MissingDependencyError(SnapMLError):
    """An optional library is not installed; says what it is for and the pip command."""

    code = "missing_dependency"


def missing_dependency(library: str, purpose: str, extra: str | None = None) -> MissingDependencyError:
    """The sentence for an optional library that is absent."""
    command = f"pip install 'snapml-jupyter[{extra}]'" if extra else f"pip install {library}"
    return MissingDependencyError(f"{purpose} needs the library '{library}'. Install it with: {command}")


def error_types() -> dict[str, type[SnapMLError]]:
    """Every error type by its code, for faces and for clients that rebuild the error from the wire."""
    found: dict[str, type[SnapMLError]] = {SnapMLError.code: SnapMLError}
    waiting: list[type[SnapMLError]] = [SnapMLError]
    while waiting:
        for child in waiting.pop().__subclasses__():
            found.setdefault(child.code, child)
            waiting.append(child)
    return found
