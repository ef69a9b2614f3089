"""Small notebooks for every construct that decides whether a cell can run again, each with the verdict it must get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

GOOD = "identical|equivalent"


@dataclass(frozen=True)
class NotebookCase:
    """Cells to run first, the one to record, and the verdict that is true."""

    name: str
    before: list[str]
    cell: str
    expected: str = GOOD
    files: dict[str, str] = field(default_factory=dict)


_DATA = """
import numpy as np, pandas as pd
rng = np.random.default_rng(0)
df = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200), "c": rng.choice(list("xyz"), 200)})
df["y"] = (df.a + df.b + rng.normal(size=200) > 0).astype(int)
"""
_FIT = """
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit(df[["a", "b"]], df["y"])
score = model.score(df[["a", "b"]], df["y"])
"""


def notebook_cases() -> Iterator[NotebookCase]:
    """All of them."""

    def case(name: str, before: list[str], cell: str, expected: str = GOOD, **files: str) -> NotebookCase:
        return NotebookCase(
            name, before, cell, expected, {path.replace("__", "."): text for path, text in files.items()}
        )

    yield case("plain fit", [_DATA], _FIT)
    yield case(
        "item assignment in an earlier cell",
        [_DATA, "df['d'] = df.a * 2", "df.loc[df.a < 0, 'd'] = 0"],
        _FIT.replace('"b"', '"d"'),
    )
    yield case(
        "attribute mutation",
        [_DATA, "class C: pass\nc = C()", "c.rate = 0.3\nc.df = df"],
        "total = c.df.a.sum() * c.rate",
    )
    yield case("augmented assignment", ["n = 1", "n += 4", "n *= 2"], "m = n + 1")
    yield case("cells out of order", ["x = 1", "y = x + 1", "x = 10"], "z = (x, y)")
    yield case("redefinition", ["def f(v): return v + 1", "a = f(1)", "def f(v): return v * 100"], "b = f(a)")
    yield case(
        "function captured before redefinition",
        ["def f(v): return v + 1", "g = f", "def f(v): return v * 100"],
        "b = (f(2), g(2))",
    )
    yield case(
        "nested functions and closures",
        ["def outer(k):\n    def inner(v):\n        return v * k\n    return inner", "g = outer(7)"],
        "r = g(6)",
    )
    yield case("lambda with a global", ["k = 3", "f = lambda v: v * k", "k = 5"], "r = f(2)")
    yield case(
        "lambdas in a dict",
        ["k = 2", "fs = {'a': lambda v: v + k, 'b': lambda v: v - k}"],
        "r = [f(10) for f in fs.values()]",
    )
    yield case(
        "partial",
        ["from functools import partial", "def p(a, b, c=1): return a * b + c", "q = partial(p, 3, c=4)"],
        "r = q(5)",
    )
    yield case(
        "decorator of the notebook",
        [
            "def twice(f):\n    def g(*a):\n        return f(*a) * 2\n    return g",
            "@twice\ndef h(v):\n    return v + 1",
        ],
        "r = h(3)",
    )
    yield case(
        "decorator with wraps and arguments",
        [
            "import functools\ndef times(n):\n    def d(f):\n        @functools.wraps(f)\n        def g(*a): return f(*a) * n\n        return g\n    return d",
            "N = 4",
            "@times(N)\ndef h(v): return v + 1",
            "N = 9",
        ],
        "r = h(3)",
    )
    yield case(
        "lru_cache",
        [
            "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef fib(n): return n if n < 2 else fib(n-1) + fib(n-2)"
        ],
        "r = fib(50)",
    )
    yield case("defaults evaluated then", ["D = 5", "def f(v, d=D): return v + d", "D = 50"], "r = f(1) + D")
    yield case(
        "mutual recursion",
        ["def even(n): return n == 0 or odd(n - 1)", "def odd(n): return n != 0 and even(n - 1)"],
        "r = even(10)",
    )
    yield case(
        "generator function and comprehension",
        ["def gen(n):\n    for i in range(n): yield i * k", "k = 3"],
        "r = [v for v in gen(5)]; s = {a: b for a, b in zip('abc', r)}",
    )
    yield case(
        "class with inheritance and super",
        [
            "class A:\n    scale = 2\n    def __init__(self, v): self.v = v\n    def get(self): return self.v * self.scale",
            "class B(A):\n    def get(self): return super().get() + 1",
            "b = B(4)",
        ],
        "r = b.get()",
    )
    yield case(
        "class attribute changed later",
        ["class A:\n    rate = 1\n    def go(self): return self.rate * 2", "A.rate = 7", "a = A()"],
        "r = a.go()",
    )
    yield case(
        "method replaced later",
        ["class A:\n    def go(self): return 1\n    def stay(self): return 2", "A.go = lambda self: 42", "a = A()"],
        "r = (a.go(), a.stay())",
    )
    yield case(
        "properties and static methods",
        [
            "class A:\n    @property\n    def p(self): return K\n    @staticmethod\n    def s(v): return v + K\n    @classmethod\n    def c(cls): return cls.__name__",
            "K = 3",
            "a = A()",
        ],
        "r = (a.p, A.s(1), a.c())",
    )
    yield case(
        "dataclass, enum, namedtuple",
        [
            "from dataclasses import dataclass, field\nfrom enum import Enum\nfrom collections import namedtuple\n@dataclass\nclass P:\n    x: int\n    tags: list = field(default_factory=list)\nclass E(Enum):\n    a = 1\n    b = 2\nQ = namedtuple('Q', 'u v')",
            "p = P(3, ['t'])\ne = E.b\nq = Q(1, 2)",
        ],
        "r = (p.x, p.tags, e.value, e is E.b, q.u + q.v)",
    )
    yield case(
        "custom estimator",
        [
            _DATA,
            "from sklearn.base import BaseEstimator, TransformerMixin\nclass Ratio(BaseEstimator, TransformerMixin):\n    def __init__(self, eps=EPS): self.eps = eps\n    def fit(self, X, y=None): return self\n    def transform(self, X): return X.assign(r=X.a / (X.b.abs() + self.eps))".replace(
                "=EPS", "=1.0"
            ),
            "from sklearn.pipeline import make_pipeline\nfrom sklearn.linear_model import LogisticRegression\npipe = make_pipeline(Ratio(0.5), LogisticRegression())",
        ],
        "pipe.fit(df[['a', 'b']], df.y)\np = pipe.predict_proba(df[['a', 'b']])",
    )
    yield case(
        "unpacking and star",
        ["a, (b, *c) = 1, (2, 3, 4)", "first, *rest = c"],
        "r = a + b + sum(c) + first + len(rest)",
    )
    yield case(
        "walrus, global, del",
        ["def setg():\n    global G\n    G = 11", "setg()", "tmp = 5\nkeep = tmp\ndel tmp"],
        "if (n := G + keep) > 3:\n    r = n\ndel keep",
    )
    yield case("star import", ["from math import *"], "r = sin(pi / 3) + sqrt(2)")
    yield case("numpy star import", ["from numpy import *", "m = eye(3) * 2"], "r = linalg.det(m) + sum(arange(5))")
    yield case(
        "import of a submodule",
        ["import sklearn.datasets, sklearn.svm", "import sklearn.preprocessing as prep", "import os.path as osp"],
        "X, y = sklearn.datasets.load_iris(return_X_y=True)\nm = sklearn.svm.SVC(random_state=0).fit(prep.scale(X), y)\nr = osp.join('a', 'b')",
    )
    yield case(
        "imports in the cell",
        [_DATA],
        "from sklearn import tree\nimport json\nt = tree.DecisionTreeClassifier(random_state=0).fit(df[['a']], df.y)\ns = json.dumps({'d': t.get_depth()})",
    )
    yield case(
        "module beside the notebook",
        ["from feats import clean, K\nimport feats as f"],
        "r = [clean(v) for v in range(5)] + [K, f.K]",
        feats__py="import helper_of\nK = 3\ndef clean(v): return helper_of.up(v) * K\n",
        helper_of__py="def up(v): return v + 1\n",
    )
    yield case(
        "module imported in the cell", [], "from inner import go\nr = go(4)", inner__py="def go(v): return v ** 2\n"
    )
    yield case(
        "csv read in the cell",
        [],
        "import pandas as pd\nd = pd.read_csv('data.csv')\nm = d.mean()",
        data__csv="a,b\n1,2\n3,4.5\n",
    )
    yield case(
        "file opened by an earlier function",
        ["def read(p):\n    with open(p) as f:\n        return f.read().split()"],
        "r = read('words.txt')",
        words__txt="alpha beta gamma\n",
    )
    yield case(
        "file that the cell writes and reads", [], "open('out.txt', 'w').write('hello')\nr = open('out.txt').read()"
    )
    yield case(
        "numpy legacy global state",
        ["import numpy as np\nnp.random.seed(3)", "a = np.random.rand(4)"],
        "b = np.random.rand(4)\nc = np.random.permutation(10)",
    )
    yield case(
        "unseeded global state",
        ["import numpy as np, random"],
        "b = np.random.rand(4)\nc = random.random()\nrandom.shuffle(d := list(range(10)))",
    )
    yield case(
        "generator with state",
        ["import numpy as np\nrng = np.random.default_rng(5)", "x = rng.normal(size=10)"],
        "y = rng.normal(size=10)",
    )
    yield case(
        "unseeded generator",
        ["import numpy as np"],
        "y = np.random.default_rng().normal(size=5)\nz = np.random.RandomState().rand(3)",
    )
    yield case(
        "seed in an earlier cell",
        [_DATA, "np.random.seed(1)"],
        "from sklearn.ensemble import RandomForestClassifier\nf = RandomForestClassifier(20).fit(df[['a', 'b']], df.y)\nr = f.predict_proba(df[['a', 'b']])",
    )
    yield case(
        "train_test_split earlier, unseeded",
        [
            _DATA,
            "from sklearn.model_selection import train_test_split\nXtr, Xte, ytr, yte = train_test_split(df[['a', 'b']], df.y)",
        ],
        "from sklearn.ensemble import GradientBoostingClassifier\ng = GradientBoostingClassifier().fit(Xtr, ytr)\ns = g.score(Xte, yte)",
    )
    yield case(
        "arrays of every shape",
        [
            "import numpy as np\nr = np.random.RandomState(0)\nA = r.rand(50, 3)\nb = r.rand(50)\nT = r.rand(4, 5, 6)\nF = np.asfortranarray(r.rand(20, 4))\nI = r.randint(0, 9, 30)\nS = np.array(['u', 'vv'])\nO = np.array([1, 'a', None], dtype=object)\nV = A[::2]"
        ],
        "o = (A.sum(), b @ b, T.mean(0), F.T @ F, I.cumsum(), S.tolist(), O.tolist(), V.sum(axis=1))",
    )
    yield case(
        "series, index, categories, dates",
        [
            "import pandas as pd\ns = pd.Series([1.5, None, 3], index=list('abc'), name='s')\nc = pd.Series(['u', 'v', 'u'], dtype='category')\nd = pd.DataFrame({'t': pd.date_range('2024-01-01', periods=3), 'c': c}).set_index('t')\nm = d.reset_index().groupby('c', observed=True).size()"
        ],
        "r = (s.sum(), c.cat.codes.tolist(), d.index.dayofyear.tolist(), m.to_dict())",
    )
    yield case(
        "polars",
        ["import polars as pl\np = pl.DataFrame({'a': [1, 2, 3], 'b': ['x', 'y', None]})"],
        "q = p.with_columns(d=pl.col('a') * 2)\nr = q['d'].sum()",
    )
    yield case(
        "sparse matrix",
        [
            "import scipy.sparse as sp\nimport numpy as np\nM = sp.random(30, 10, density=0.2, random_state=0, format='csr')"
        ],
        "r = M.T @ M\nd = r.toarray()",
    )
    yield case(
        "text pipeline",
        [
            "docs = ['the cat sat', 'dogs run far', 'a cat ran', 'the dog sat'] * 5\nlabels = [0, 1, 0, 1] * 5\nfrom sklearn.feature_extraction.text import TfidfVectorizer\nvec = TfidfVectorizer()\nX = vec.fit_transform(docs)"
        ],
        "from sklearn.naive_bayes import MultinomialNB\nnb = MultinomialNB().fit(X, labels)\nr = nb.predict(vec.transform(['a dog']))",
    )
    yield case(
        "model fitted earlier, evaluated here",
        [_DATA, _FIT],
        "from sklearn.metrics import roc_auc_score\nauc = roc_auc_score(df.y, model.predict_proba(df[['a', 'b']])[:, 1])\nprint(f'auc {auc:.3f}')",
    )
    yield case(
        "model fitted further in place",
        [
            _DATA,
            "from sklearn.linear_model import SGDClassifier\nm = SGDClassifier(random_state=0)\nm.partial_fit(df[['a', 'b']], df.y, classes=[0, 1])",
        ],
        "for _ in range(3):\n    m.partial_fit(df[['a', 'b']], df.y)\nm.coef_",
    )
    yield case(
        "grid search and its times",
        [_DATA],
        "from sklearn.model_selection import GridSearchCV\nfrom sklearn.tree import DecisionTreeClassifier\ng = GridSearchCV(DecisionTreeClassifier(random_state=0), {'max_depth': [1, 2, 3]}).fit(df[['a', 'b']], df.y)\nres = pd.DataFrame(g.cv_results_)\nbest = g.best_score_",
    )
    yield case(
        "cross_validate gives times",
        [_DATA],
        "from sklearn.model_selection import cross_validate\nfrom sklearn.linear_model import LogisticRegression\nscores = cross_validate(LogisticRegression(), df[['a', 'b']], df.y)\nscores",
    )
    yield case(
        "n_jobs",
        [_DATA],
        "from sklearn.ensemble import ExtraTreesClassifier\ne = ExtraTreesClassifier(30, n_jobs=2, random_state=1).fit(df[['a', 'b']], df.y)\nimp = e.feature_importances_",
    )
    yield case(
        "elapsed time is no difference",
        [_DATA],
        "import time\nt0 = time.time()\n"
        + _FIT
        + "\nelapsed = time.time() - t0\nprint(f'took {elapsed:.4f} s, score {score:.3f}')\nrun.log_metric('seconds', elapsed)",
    )
    yield case("%time and %timeit inside", [_DATA], "%time s = df.a.sum()\n%timeit -n 1 -r 1 df.b.sum()\nq = s + 1")
    yield case("shell command", ["n = 3"], "!echo three\nfiles = !ls\nr = n * 2")
    yield case(
        "line magics and %run earlier",
        ["%run script.py"],
        "r = made(4) + VALUE",
        script__py="VALUE = 10\ndef made(v): return v * VALUE\n",
    )
    yield case(
        "top-level await",
        ["import asyncio\nasync def job(v):\n    await asyncio.sleep(0)\n    return v * 2"],
        "r = await job(21)",
    )
    yield case(
        "pandas options and numpy errors",
        [
            "import pandas as pd, numpy as np\npd.set_option('display.precision', 2)\nnp.seterr(divide='raise')\nnp.set_printoptions(precision=3)"
        ],
        "print(pd.Series([1.23456]))\nprint(np.array([1/3]))\ntry:\n    np.array([1.0]) / 0\n    r = 'no'\nexcept FloatingPointError:\n    r = 'raised'",
    )
    yield case(
        "sklearn set_config",
        [_DATA, "import sklearn\nsklearn.set_config(transform_output='pandas')"],
        "from sklearn.preprocessing import StandardScaler\nt = StandardScaler().fit_transform(df[['a', 'b']])\nr = type(t).__name__",
    )
    yield case(
        "warnings as errors",
        ["import warnings\nwarnings.simplefilter('error')"],
        "import warnings\ntry:\n    warnings.warn('w')\n    r = 'shown'\nexcept UserWarning:\n    r = 'raised'",
    )
    yield case(
        "logging",
        ["import logging\nlog = logging.getLogger('nb')\nlog.setLevel(logging.INFO)"],
        "log.info('x')\nr = log.level",
    )
    yield case("two names, one list", ["a = [1, 2]\nb = a"], "b.append(3)\nr = len(a)")
    yield case(
        "objects that share",
        ["class Box: pass\nx = Box(); x.items = []\ny = Box(); y.items = x.items"],
        "y.items.append(1)\nr = len(x.items)",
    )
    yield case(
        "a dict of frames",
        [_DATA, "parts = {'train': df[:150], 'test': df[150:]}", "import copy\nsets = [parts['train'], parts['test']]"],
        "r = {k: v.a.mean() for k, v in parts.items()}\nq = [len(s) for s in sets]",
    )
    yield case(
        "frame changed in place here",
        [_DATA],
        "df['z'] = df.a - df.b\ndf.drop(columns='c', inplace=True)\nr = df.z.sum()",
    )
    yield case("the notebook's run variable", ["run = 5"], "r = 1 + 1")
    yield case("last value only", [_DATA, _FIT], "model.predict(df[['a', 'b']])[:10]")
    yield case("error that comes again", ["def bad(v): return 1 / v"], "bad(0)", "identical")
    yield case("iterator of earlier cells", ["it = iter([1, 2, 3])\nnext(it)"], "r = list(it)")
    yield case(
        "conditional definition",
        ["import sys\nif sys.version_info > (3,):\n    def f(): return 'new'\nelse:\n    def f(): return 'old'"],
        "r = f()",
    )
    yield case(
        "try import",
        ["try:\n    import ujson_not_there as js\nexcept ImportError:\n    import json as js"],
        "r = js.dumps([1])",
    )
    yield case(
        "function with attribute and closure over frame",
        [_DATA, "def lookup(v): return df.a.iloc[v]\nlookup.calls = 3"],
        "r = lookup(3), lookup.calls",
    )
    yield case(
        "type hints and annotations",
        [
            "from typing import Optional, List\nNum = Optional[float]\ndef f(v: Num = None) -> List[float]: return [v or 0.0]"
        ],
        "r = f(2.0)",
    )
    yield case(
        "class body with names of the notebook",
        [
            "SIZE = 4",
            "class A:\n    size = SIZE * 2\n    table = {k: k * 2 for k in range(3)}\n    def go(self): return self.size",
            "SIZE = 100",
        ],
        "r = A().go() + SIZE",
    )
    yield case(
        "metaclass and abstract base",
        [
            "from abc import ABC, abstractmethod\nclass S(ABC):\n    @abstractmethod\n    def go(self): ...\nclass T(S):\n    def go(self): return 3"
        ],
        "r = T().go()",
    )
    yield case(
        "registry filled by a decorator",
        [
            "REG = {}\ndef register(f):\n    REG[f.__name__] = f\n    return f",
            "@register\ndef one(): return 1\n@register\ndef two(): return 2",
        ],
        "r = {k: v() for k, v in REG.items()}",
    )
    yield case(
        "regular expressions and dates",
        [
            "import re, datetime as dt\npat = re.compile(r'(\\d+)')\nday = dt.date(2024, 2, 29)\nfrom decimal import Decimal\nfrom fractions import Fraction\nfrom pathlib import Path\np = Path('x') / 'y'\nm = Decimal('1.10'); q = Fraction(1, 3)"
        ],
        "r = (pat.findall('a1b22'), day.isoformat(), str(m), str(q), p.name)",
    )
    yield case(
        "clustering and decomposition",
        [_DATA],
        "from sklearn.cluster import KMeans\nfrom sklearn.decomposition import PCA\nkm = KMeans(3, n_init=2).fit(df[['a', 'b']])\npc = PCA(2).fit_transform(df[['a', 'b']])",
    )
    yield case(
        "neural network of scikit-learn",
        [_DATA],
        "from sklearn.neural_network import MLPClassifier\nn = MLPClassifier((8,), max_iter=30).fit(df[['a', 'b']], df.y)\nl = n.loss_curve_",
    )
    yield case(
        "own gradient descent",
        [_DATA],
        "X = df[['a', 'b']].to_numpy(); t = df.y.to_numpy()\nw = np.random.randn(2)\nlosses = []\nfor step in range(50):\n    p = 1 / (1 + np.exp(-X @ w))\n    losses.append(-np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)))\n    w -= 0.1 * X.T @ (p - t) / len(t)\n    run.log_metric('loss', losses[-1])\nprint(w)",
    )
    yield case(
        "statistics of groups",
        [_DATA],
        "g = df.groupby('c').agg({'a': ['mean', 'std'], 'b': 'median'})\npv = df.pivot_table(index='c', columns='y', values='a')\ng",
    )
    # Those that must not get a good verdict
    yield case("random bytes of the system", [], "import os\nr = os.urandom(8).hex()", "different")
    yield case("uuid", [], "import uuid\nr = str(uuid.uuid4())", "different")
    yield case("random.Random() without a seed", [], "import random\nr = random.Random().random()", "different")
    yield case(
        "a metric that is random",
        [],
        "import os\nrun.log_metric('m', int.from_bytes(os.urandom(4), 'big'))",
        "different",
    )
    yield case("printed randomness", [], "import uuid\nprint('id', uuid.uuid4())", "different")
    yield case("reseeded from the system", ["import random"], "random.seed()\nr = random.random()", "different")
    yield case(
        "counts its runs in a file elsewhere",
        [],
        "import os, tempfile\np = os.path.join(tempfile.gettempdir(), 'snapml_replay_count.txt')\nn = int(open(p).read()) + 1 if os.path.exists(p) else 0\nopen(p, 'w').write(str(n))",
        "different",
    )
    yield case("process id", [], "import os\nr = os.getpid()", "different")
    yield case(
        "model trained on system randomness",
        [_DATA],
        "import os\nfrom sklearn.ensemble import RandomForestClassifier\nf = RandomForestClassifier(10, random_state=int.from_bytes(os.urandom(4), 'big')).fit(df[['a', 'b']], df.y)",
        "different",
    )
    yield case(
        "open connection",
        ["import sqlite3\nconn = sqlite3.connect(':memory:')\n_ = conn.execute('create table t (v)')"],
        "r = conn.execute('select count(*) from t').fetchall()",
        "not_replayable",
    )
    yield case("generator", ["gen = (i * i for i in range(10))\nnext(gen)"], "r = next(gen)", "not_replayable")
    yield case("open file", ["f = open('words.txt')"], "r = f.readline()", "not_replayable", words__txt="alpha\nbeta\n")
    yield case("nothing to compare", [], "pass", "not_replayable")
    yield case("asks for input", [], "name = input('name?') if False else None\nr = 1")
    yield case("a lock", ["import threading\nlock = threading.Lock()"], "with lock:\n    r = 1", "not_replayable")
    yield case(
        "thread pool",
        ["from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(2)"],
        "r = list(pool.map(abs, [-1, 2]))",
        "not_replayable",
    )
    yield case(
        "wall clock as a value",
        [],
        "import time\nstamp = int(time.time())\nx = [stamp % 7, stamp]\ny = x[1] * 2.0",
        "different",
    )
