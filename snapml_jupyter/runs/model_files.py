"""A fitted object to bytes and back.

skops keeps data only: loading it runs no code that the writer chose. What skops cannot say is pickled and marked so; a
pickle runs whatever its writer put into it, so one that another actor wrote is loaded only with explicit trust.
"""

from __future__ import annotations

import io
import pickle
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile

from ..domain.errors import CannotKeepError, DamagedContentError, MissingDependencyError, UntrustedModelError
from ..domain.model import ModelFormat
from .trusted_types import is_reviewed, is_unchecked

#: What skops and pickle raise about objects they cannot keep or bytes they cannot read.
_REFUSALS = (
    pickle.PickleError,
    TypeError,
    ValueError,
    AttributeError,
    LookupError,
    ImportError,
    EOFError,
    RuntimeError,  # torch's tensors in skops; unwritten methods and endless recursion are of this kind too
    BadZipFile,
)


def dump_model(model: Any) -> tuple[bytes, ModelFormat]:
    """The bytes of a fitted object, and how they are to be read: skops where it can, else a pickle.

    Objects defined in the notebook are pickled by value. Raises CannotKeepError naming the step that cannot be kept.
    """
    content = _skops(model)
    if content is not None:
        return content, ModelFormat.skops
    try:
        return _pickle(model), ModelFormat.pickle
    except _REFUSALS as error:
        step, reason = _culprit(model, error)
        raise CannotKeepError(
            f"The model cannot be kept: {step} cannot be written to a file ({reason}). Replace what holds it (an open file, "
            "lock, connection or generator) by a function or class at the top level of a module, and fit again."
        ) from error


def load_model_bytes(content: bytes, format: ModelFormat, written_by: str, actor: str, trust: bool = False) -> Any:
    """The fitted object again.

    Raises UntrustedModelError when loading could run code, or harm the process, and `written_by` is not `actor`, unless
    `trust`; MissingDependencyError when the object needs a library that is absent; DamagedContentError otherwise.
    """
    own = trust or written_by == actor
    try:
        if format is ModelFormat.skops:
            return _load_skops(content, written_by, actor, own=own, trust=trust)
        if not own:
            raise UntrustedModelError(
                f"This model is a pickle that {written_by} wrote: loading it runs code of theirs, as {actor}. If you trust "
                f"{written_by} with everything you may do, load it with trust=True. Its ONNX export needs no trust."
            )
        return pickle.loads(content)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"The model needs the module '{error.name}', which is not installed here. Install what provides it, then load "
            "it again."
        ) from error
    except _REFUSALS as error:
        raise DamagedContentError(
            f"The model cannot be read as {format.value}: {type(error).__name__}: {error}. It may need other versions of "
            "its libraries; the run's environment lists them."
        ) from error


def estimator_name(model: Any) -> str:
    """What the model is, in a few words: the class, or the classes of a pipeline's steps.

    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.preprocessing import StandardScaler
    >>> estimator_name(make_pipeline(StandardScaler(), LinearRegression()))
    'StandardScaler → LinearRegression'
    """
    steps = getattr(model, "steps", None)
    if isinstance(steps, list) and steps:
        return " → ".join(step if isinstance(step, str) else type(step).__name__ for _, step in steps)
    return type(model).__name__


def _skops(model: Any) -> bytes | None:
    """The skops bytes; None when it holds anything that was not reviewed or does not come back."""
    import skops.io

    try:
        content: bytes = skops.io.dumps(model, compression=ZIP_DEFLATED, compresslevel=1)
        asked = skops.io.get_untrusted_types(data=content)
        if not all(is_reviewed(name) or is_unchecked(name) for name in asked):
            return None
        skops.io.loads(content, trusted=asked)  # it happens that what was written cannot be restored
    except _REFUSALS:
        return None
    return content


def _load_skops(content: bytes, written_by: str, actor: str, *, own: bool, trust: bool) -> Any:
    import skops.io

    asked = skops.io.get_untrusted_types(data=content)
    for name in asked:
        if trust or is_reviewed(name) or (own and is_unchecked(name)):
            continue
        why = (
            "whose content scikit-learn does not check, so that a crafted file could harm your process"
            if is_unchecked(name)
            else "which is not on the list of types that are safe to restore"
        )
        raise UntrustedModelError(
            f"This model was written by {written_by} and holds {name}, {why}. If you trust {written_by} with everything "
            f"{actor} may do, load it with trust=True. Its ONNX export needs no trust."
        )
    return skops.io.loads(content, trusted=asked)


def _pickle(model: Any) -> bytes:
    try:
        import cloudpickle  # type: ignore[import-untyped]  # it publishes no type information
    except ImportError:
        return pickle.dumps(model, protocol=5)
    buffer = io.BytesIO()
    cloudpickle.dump(model, buffer, protocol=5)
    return buffer.getvalue()


def _culprit(model: Any, error: BaseException, path: str = "") -> tuple[str, str]:
    """The innermost named step that cannot be pickled, and why."""
    named = getattr(model, "steps", None) or getattr(model, "transformers_", None) or getattr(model, "estimators", None)
    for part in named if isinstance(named, list) else []:
        if isinstance(part, tuple) and len(part) >= 2 and isinstance(part[0], str):
            try:
                _pickle(part[1])
            except _REFUSALS as inner:
                return _culprit(part[1], inner, f"{path}.{part[0]}" if path else part[0])
    what = f"step '{path}' ({type(model).__name__})" if path else type(model).__name__
    return what, f"{type(error).__name__}: {error}"
