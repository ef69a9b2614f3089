"""`%%snap_train`: record the cell below it."""

from __future__ import annotations

from typing import Any

from ..domain.errors import InvalidInputError
from .arguments import pair, scalar
from .registration import Magic, add_magic, argument, plainly
from .session import Session

TRAIN = Magic(
    name="snap_train",
    summary="Record this cell as a run: source, data it reads, params, metrics, output, environment and the fitted model.",
    function=lambda: None,
    is_cell=True,
    adds=(
        argument("name", nargs="?", metavar="NAME", help="name of the run; without it, one is made"),
        argument("--experiment", "-e", metavar="E", help="group of runs it belongs to"),
        argument("--seed", "-s", type=int, metavar="N", help="seed random, numpy and torch, and record it"),
        argument(
            "-p", "--param", action="append", default=[], metavar="KEY=VALUE", help="a param to record; repeatable"
        ),
        argument("--tag", "-t", action="append", default=[], metavar="KEY=VALUE", help="a tag to set; repeatable"),
        argument("--register", "-r", metavar="MODEL", help="register the fitted model under this name"),
        argument(
            "--data", "-d", action="append", default=[], metavar="NAME=DF", help="keep variable DF as dataset NAME"
        ),
        argument("--require-valid", action="store_true", help="do not run on data that fails the suite of its dataset"),
        argument("--note", "-n", metavar="TEXT", help="a sentence to keep with the run"),
    ),
    examples=(
        "%%snap_train late-flights --seed 7 --register late-flights",
        "%%snap_train sweep -p depth={depth} --tag owner=ada --data flights=df",
    ),
    completes={"name": "run", "--register": "model name", "-r": "model name"},
)
add_magic(TRAIN)


def bound(session: Session, shell: Any) -> Any:
    """The magic as IPython calls it: with a body (`run_cell_magic`), or without (the transformer's call)."""

    @plainly
    def snap_train(line: str = "", cell: str | None = None) -> Any:
        __tracebackhide__ = True
        options = read_options(line, shell.user_ns)
        if cell is None:
            return session.begin(options)
        return session.record(options, line, cell)

    snap_train.__doc__ = TRAIN.help()
    snap_train._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]  # expressions are replaced one by one
    return snap_train


def read_options(line: str, namespace: dict[str, Any]) -> Any:
    """The line as CellOptions. Raises InvalidInputError saying what is wrong with it."""
    from ..capture.cell import CellOptions

    given = TRAIN.parser().read(line, namespace)
    params = {key: scalar(value) for key, value in _pairs(given.param, "-p")}
    options = CellOptions(
        name=given.name,
        experiment=given.experiment,
        seed=given.seed,
        params=params,
        tags=dict(_pairs(given.tag, "--tag")),
        register=given.register,
        data=dict(_pairs(given.data, "--data")),
        note=given.note,
        require_valid=given.require_valid,
    )
    options.check()
    return options


def _pairs(texts: list[str], option: str) -> list[tuple[str, str]]:
    pairs = [pair(text, option) for text in texts]
    keys = [key for key, _ in pairs]
    repeated = next((key for key in keys if keys.count(key) > 1), None)
    if repeated is not None:
        raise InvalidInputError(f"%%snap_train: {option} {repeated}=... is given more than once.")
    return pairs
