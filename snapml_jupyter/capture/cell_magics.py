"""Code that IPython's magics run for the cell: `%%time` and `%time` have become calls with the code as text."""

from __future__ import annotations

import ast

#: Magics that run what they are given in the notebook's namespace; and one that runs it as a function's body.
_RUNNING, _TIMING = {"time", "prun", "capture"}, {"timeit"}


def expanded(code: str) -> str:
    """The body of a (transformed) cell that is all below a magic which runs it, as Python; else the code as it is.

    >>> expanded("get_ipython().run_cell_magic('time', '', 'x = 1\\\\n')")
    'x = 1\\n'
    """
    while "run_cell_magic" in code:
        try:
            body = ast.parse(code).body
        except SyntaxError:
            return code
        if len(body) != 1 or not isinstance(body[0], ast.Expr) or not isinstance(body[0].value, ast.Call):
            return code
        inner = magic_code(body[0].value)
        if inner is None or not inner[1]:
            return code
        code = inner[0]
    return code


def magic_code(call: ast.Call) -> tuple[str, bool] | None:
    """The code that a call of a magic runs, and whether what it assigns stays; None for other calls and magics.

    >>> magic_code(ast.parse("get_ipython().run_line_magic('time', 'm = fit(X)')").body[0].value)
    ('m = fit(X)', True)
    """
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("run_line_magic", "run_cell_magic"):
        return None
    texts = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    if len(texts) != len(call.args) or not all(isinstance(text, str) for text in texts) or len(texts) < 2:
        return None
    name, code = str(texts[0]), str(texts[-1])
    if name not in _RUNNING | _TIMING or (name == "capture" and call.func.attr == "run_line_magic"):
        return None
    if call.func.attr == "run_line_magic":
        code = _without_options(code)
    code = _as_python(code)
    try:
        ast.parse(code)
    except SyntaxError:
        return None
    return code, name in _RUNNING


def _without_options(line: str) -> str:
    """`-n 3 -r1 -o f(x)` without the options."""
    words = line.split(" ")
    while words and (not words[0] or words[0].startswith("-")):
        option = words.pop(0)
        if option in ("-n", "-r", "-t", "-p", "-s", "-l", "-T", "-D") and words and words[0].isdigit():
            words.pop(0)
    return " ".join(words)


def _as_python(code: str) -> str:
    if not any(line.lstrip().startswith(("%", "!")) for line in code.splitlines()):
        return code
    from IPython.core.inputtransformer2 import TransformerManager

    return str(TransformerManager().transform_cell(code))  # type: ignore[no-untyped-call]  # IPython has no types here
