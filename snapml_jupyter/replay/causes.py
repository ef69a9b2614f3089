"""Why a replay is different: what is not as it was, most likely first. Sentences, made of what was recorded."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from ..domain.program import Program
from ..domain.run import Environment

_NUMERIC = (
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "torch",
    "xgboost",
    "lightgbm",
    "catboost",
    "statsmodels",
    "tensorflow",
)
_UNSEEDED = {
    "urandom": "os.urandom",
    "uuid1": "uuid",
    "uuid4": "uuid",
    "token_hex": "secrets",
    "token_bytes": "secrets",
    "randbelow": "secrets",
    "SystemRandom": "random.SystemRandom",
}
#: What is seeded without a number gets recorded entropy from these.
_NUMPY_RANDOM = ("np.random", "numpy.random")
_NETWORK = ("requests", "urllib", "fetch_openml", "fetch_california_housing", "hf_hub_download", "load_dataset", "http")


def likely_causes(
    program: Program,
    recorded: Environment | None,
    current: Environment | None,
    *,
    data: Mapping[str, str],
    params: Mapping[str, object],
    failed: str = "",
) -> list[str]:
    """The likely causes, best first."""
    found = []
    if data:
        found.append("it was run on other data: " + ", ".join(f"{name} = {ref}" for name, ref in data.items()))
    if params:
        found.append("it was given other params: " + ", ".join(f"{name}={value}" for name, value in params.items()))
    found += _unseeded(program)
    if program.missing:
        found.append("not captured: " + "; ".join(str(each) for each in program.missing[:5]))
    if recorded is not None and current is not None:
        found += _environment(recorded, current)
    code = _all_code(program)
    if any(word in code for word in _NETWORK):
        found.append("the cell may read from the network, which can answer otherwise")
    if re.search(r"n_jobs\s*=\s*-?[2-9]|n_jobs\s*=\s*-1|\.cuda\(|device\s*=\s*['\"]cuda|Thread|multiprocessing", code):
        found.append("the cell computes in parallel or on a GPU, where sums are not always in the same order")
    hashed = recorded is not None and "PYTHONHASHSEED" in recorded.variables
    # Also a library may go through a set of texts; nothing in the cell says so, but then nothing else explains it either.
    if not hashed and (not found or re.search(r"\bset\(|\bhash\(|\{[^:{}]+ for ", code)):
        found.append(
            "the order of sets of texts differs from process to process: set PYTHONHASHSEED where kernels are started, or "
            "sort the set"
        )
    return found


def _unseeded(program: Program) -> list[str]:
    used = set()
    code = _all_code(program)
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return [f"unseeded randomness: {word}" for name, word in _UNSEEDED.items() if f"{name}(" in code][:1]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _UNSEEDED:
            used.add(_UNSEEDED[name])
        elif name == "seed" and not node.args and not node.keywords and isinstance(node.func, ast.Attribute):
            root = node.func.value
            if not (isinstance(root, ast.Name) and root.id == "random") and ast.unparse(root) not in _NUMPY_RANDOM:
                used.add(f"{ast.unparse(node.func)}() without a number")
    return [f"unseeded randomness: {', '.join(sorted(used))}"] if used else []


def _environment(recorded: Environment, current: Environment) -> list[str]:
    found = []
    changed = [
        (name, version, current.packages.get(name))
        for name, version in recorded.packages.items()
        if current.packages.get(name) != version and name != "pip"  # what installed them computes nothing
    ]
    changed.sort(key=lambda item: (item[0] not in _NUMERIC, item[0]))
    if changed:
        shown = [f"{name} {before} → {after or 'not installed'}" for name, before, after in changed[:5]]
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        found.append(f"other package versions: {', '.join(shown)}{more}. `--env recorded` runs with the recorded ones")
    if recorded.python_version != current.python_version:
        found.append(f"another Python: {recorded.python_version} → {current.python_version}")
    if recorded.threads != current.threads and recorded.threads and current.threads:
        found.append(f"another number of threads: {_threads(recorded.threads)} → {_threads(current.threads)}")
    if (recorded.cpu, recorded.platform) != (current.cpu, current.platform):
        found.append(f"another machine: {recorded.cpu}, {recorded.platform} → {current.cpu}, {current.platform}")
    return found


def _threads(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {n}" for kind, n in sorted(counts.items()))


def _all_code(program: Program) -> str:
    return "\n".join([*(part.code for part in program.parts), program.body])


def first_sentence(causes: Sequence[str]) -> str:
    """The most likely cause, or that none was found."""
    return causes[0] if causes else "no cause was found: the cell may not be deterministic by itself"
