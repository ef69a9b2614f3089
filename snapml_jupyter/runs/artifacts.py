"""What may become an artifact: files, bytes, text and figures, as the bytes that are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..domain.errors import InvalidInputError
from . import values


def artifact_content(content: Any, name: str | None) -> tuple[bytes, str]:
    """The bytes to keep and their path inside the run. Raises InvalidInputError."""
    if isinstance(content, (bytes, bytearray, memoryview)):
        if name is None:
            raise InvalidInputError("Bytes need a name to be kept under: log_artifact(content, 'report.html').")
        return bytes(content), values.check_artifact_path(name)
    if not isinstance(content, (str, Path)):
        raise InvalidInputError(
            f"An artifact is a path, bytes or text, not {type(content).__name__}. Write it to a file first."
        )
    file = Path(content)
    try:
        is_file = file.is_file()
    except (OSError, ValueError):  # a text too long for a path, or with a null character
        is_file = False
    if not is_file:
        if isinstance(content, str) and name is not None:
            return content.encode("utf-8", "replace"), values.check_artifact_path(name)
        what = "is a folder; log its files one by one" if file.is_dir() else "does not exist"
        raise InvalidInputError(f"The file {str(content)[:200]!r} {what}.")
    path = values.check_artifact_path(file.name if name is None else name)
    try:
        return file.read_bytes(), path
    except OSError as error:
        raise InvalidInputError(f"The file {str(file)!r} cannot be read: {error.strerror}.") from error


def figure_content(figure: Any, name: str) -> tuple[bytes, str]:
    """A matplotlib figure (anything with `savefig`, or `.figure` that has it) as PNG, and its path inside the run."""
    import io

    drawn = figure if hasattr(figure, "savefig") else getattr(figure, "figure", None)
    if drawn is None or not hasattr(drawn, "savefig"):
        raise InvalidInputError(f"A figure has a savefig method; {type(figure).__name__} has none.")
    path = values.check_artifact_path(name)
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="png")
    return buffer.getvalue(), path if path.lower().endswith(".png") else f"{path}.png"


def media_type(path: str) -> str:
    """By the ending of the name."""
    import mimetypes

    return mimetypes.guess_type(path)[0] or "application/octet-stream"
