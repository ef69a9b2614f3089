"""Which names a cell reads from the notebook."""

from __future__ import annotations

from typing import Any

import pytest

from snapml_jupyter.capture.reads import names_read

NAMES: dict[str, Any] = dict.fromkeys(["df", "other", "y", "i", "e"], 1)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("df.x", ["df"]),
        ("df['x'] = 1", ["df"]),
        ("df = 1\ndf.x", []),
        ("df = df.dropna()", ["df"]),
        ("df += 1", ["df"]),
        ("df: int = other", ["other"]),
        ("df: int", []),
        ("df, y = other, 1\ndf, y", ["other"]),
        ("(df := other)\ndf", ["other"]),
        ("import df\ndf.x", []),
        ("from m import x as df\ndf", []),
        ("import df.sub\ndf", []),
        ("print(f'{df.x} {other!r}')", ["df", "other"]),
        ("[df for df in other]", ["other"]),
        ("[i * df for i in other]", ["other", "df"]),
        ("{i: y for i in other for y in i}", ["other"]),
        ("[x for x in df if other]", ["df", "other"]),
        ("lambda df: df + other", ["other"]),
        ("f = lambda *df, **other: df", []),
        ("if y:\n    df = 1\ndf", ["y", "df"]),
        ("if y:\n    df = 1\nelse:\n    df = 2\ndf", ["y"]),
        ("for df in other:\n    df\ndf", ["other", "df"]),
        ("for i in other:\n    df = 1\nprint(df)", ["other", "df"]),
        ("while other:\n    df = 1\ndf", ["other", "df"]),
        ("try:\n    df = 1\nexcept ValueError:\n    pass\ndf", ["df"]),
        ("try:\n    df = 1\nexcept ValueError:\n    raise\ndf", []),
        ("try:\n    y\nexcept ValueError as e:\n    e\nfinally:\n    df", ["y", "df"]),
        ("with other as df:\n    df", ["other"]),
        ("def f():\n    return df\nf()", ["df"]),
        ("def f():\n    return df\n", []),
        ("def f():\n    return df\ndf = 1\nf()", []),
        ("def f(df):\n    return df\nf(other)", ["other"]),
        ("def f():\n    df = 1\n    return df\nf()", []),
        ("def f(x=df):\n    return x", ["df"]),
        ("@other\ndef f(): ...", ["other"]),
        ("def f():\n    def g():\n        return df\n    return g\nf()", ["df"]),
        ("def g():\n    return df\ndef f():\n    return g()\nf()", ["df"]),
        ("async def f():\n    return df\nf()", ["df"]),
        ("class A(other):\n    x = df", ["other", "df"]),
        ("class A:\n    def m(self):\n        return df\nA().m()", ["df"]),
        ("class A:\n    df = 1\n    y = df", []),
        ("match other:\n    case [df, *y]:\n        df\ndf", ["other", "df"]),
        ("x = df if y else other", ["y", "df", "other"]),
        ("get_ipython().run_line_magic('time', 'f(df)')", ["df"]),
        ("get_ipython().system('echo {other}')", ["other"]),
        ("def f(x):\n    return x\nf(df)\nf = 1\nother", ["df", "other"]),
        ("del df\ny", ["y"]),
        ("global df\ndf = 1", []),
    ],
)
def test_names_are_read_before_they_are_surely_assigned(code: str, names: list[str]) -> None:
    assert names_read(code, NAMES) == names


def test_functions_and_classes_of_earlier_cells_count_with_what_they_read() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(
        "import functools\n"
        "table = [1]\nother = [2]\nscale = 3\n"
        "def clean(): return [scale * x for x in table]\n"
        "def prepare(): return clean()\n"
        "class Model:\n    def fit(self): return other\n    @property\n    def size(self): return table\n"
        "model = Model()\nbound = model.fit\nhalf = functools.partial(prepare)\n"
        "def recursive(): return recursive()\n",
        namespace,
    )
    assert set(names_read("prepare()", namespace)) == {"prepare", "clean", "scale", "table"}
    assert set(names_read("model.fit()", namespace)) == {"model", "other", "table"}
    assert set(names_read("bound()", namespace)) == {"bound", "other"}
    assert "table" in names_read("half()", namespace)
    assert names_read("recursive()", namespace) == ["recursive"]
    assert names_read("table = 1\nprepare()", namespace) == ["prepare", "clean", "scale"]
    assert names_read("clean = 1\nprepare()", namespace) == ["prepare"]


def test_top_level_await_is_read_through() -> None:
    assert names_read("x = await df\nasync with other as y:\n    y\nasync for i in x: i", NAMES) == ["df", "other"]


def test_names_in_formulas_and_queries_are_read() -> None:
    namespace: dict[str, object] = dict.fromkeys(["np", "x1", "limit", "d", "res", "ols"])
    assert names_read("res = ols('y ~ x1 + np.sin(x1)', data=d).fit()", namespace) == ["ols", "x1", "np", "d"]
    assert names_read("d.query('a > @limit and b < 3')", namespace) == ["d", "limit"]
    exec("def fit(d):\n    return ols('y ~ np.log(x1)', d)", namespace)
    assert {"fit", "ols", "np", "d"} <= set(names_read("fit(d)", namespace))
