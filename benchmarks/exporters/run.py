"""Every estimator of scikit-learn: fitted on small data, exported, compared; a table of what came of it.

    python benchmarks/exporters/run.py [NAME ...] > table.md

Transformers are judged through a linear model behind them. An estimator that fits none of the data here is left out
with its reason. The exit status is 1 when anything but a refusal with a sentence happened.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier, is_regressor
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils import all_estimators

from snapml_jupyter.domain.errors import ExportError
from snapml_jupyter.export.onnx_graph import export_model
from snapml_jupyter.export.parity import check_parity
from snapml_jupyter.runs.signature import infer_signature

RNG = np.random.default_rng(11)
N_ROWS = 150
NUMBERS = pd.DataFrame(RNG.gamma(2.0, 1.0, (N_ROWS, 4)), columns=["a", "b", "c", "d"])
SIGNAL = NUMBERS["a"] - NUMBERS["b"] + 0.5 * NUMBERS["c"]
COUNTS = pd.DataFrame(RNG.integers(0, 3, (N_ROWS, 4)), columns=["a", "b", "c", "d"])
WORDS = pd.DataFrame({"text": [" ".join(RNG.choice(["red", "green", "blue", "old"], 4)) for _ in range(N_ROWS)]})
CITIES = pd.DataFrame({"city": RNG.choice(["Oslo", "Rome", "Bern"], N_ROWS)})
CLASSES = pd.qcut(SIGNAL, 3, labels=False).to_numpy()
TARGET = (SIGNAL - SIGNAL.min() + 0.1).to_numpy()

TEXT = {"CountVectorizer", "TfidfVectorizer", "HashingVectorizer"}
TWO_CLASSES = {"FixedThresholdClassifier", "TunedThresholdClassifierCV"}
COUNTED = {"CategoricalNB", "TfidfTransformer"}


@dataclass(frozen=True)
class Outcome:
    """What came of one estimator: `exact`, `close`, `refused`, `differs`, `not fitted` or `broken`."""

    kind: str
    name: str
    verdict: str
    detail: str


def instance(kind: type) -> Any:
    """The estimator with small inner ones where it needs any."""
    if kind.__name__ == "FrozenEstimator":
        return kind(LogisticRegression().fit(NUMBERS, CLASSES))
    if kind.__name__ in ("Pipeline", "ColumnTransformer", "FeatureUnion"):
        return None
    from sklearn.utils._test_common.instance_generator import _construct_instances

    return next(iter(_construct_instances(kind)))


def pipeline(name: str, estimator: Any) -> tuple[Any, pd.DataFrame, Any]:
    """What to fit on which rows and target."""
    if name in TEXT:
        return make_pipeline(ColumnTransformer([("t", estimator, "text")]), LogisticRegression()), WORDS, CLASSES
    if name in ("OneHotEncoder", "OrdinalEncoder", "TargetEncoder"):
        return make_pipeline(make_column_transformer((estimator, ["city"])), LogisticRegression()), CITIES, CLASSES
    if name == "IsotonicRegression":
        estimator.set_params(out_of_bounds="clip")
    if name == "FrozenEstimator":
        return make_pipeline(estimator), NUMBERS, CLASSES
    if name == "SequentialFeatureSelector":
        estimator.set_params(estimator=LogisticRegression())
        return make_pipeline(estimator, LogisticRegression()), NUMBERS, CLASSES
    if name in ("SelectPercentile", "GenericUnivariateSelect"):
        estimator.set_params(**{"percentile" if name == "SelectPercentile" else "param": 50})
    if name == "MissingIndicator":
        frame = NUMBERS.mask(NUMBERS > 3)
        return make_pipeline(estimator, LogisticRegression()), frame, CLASSES
    frame = COUNTS if name in COUNTED else NUMBERS
    if is_classifier(estimator):
        return estimator, frame, (CLASSES > 0) if name in TWO_CLASSES else CLASSES
    if is_regressor(estimator):
        return estimator, NUMBERS[["a"]] if name == "IsotonicRegression" else NUMBERS, TARGET
    needs_classes = estimator.__sklearn_tags__().target_tags.required
    return (
        make_pipeline(estimator, LogisticRegression() if needs_classes else Ridge()),
        frame,
        CLASSES if needs_classes else TARGET,
    )


def judge(name: str, kind: type) -> Outcome:
    family = "transformer"
    try:
        estimator = instance(kind)
        if estimator is None:
            return Outcome("structure", name, "exact", "holds the others, which are judged here")
        family = "classifier" if is_classifier(estimator) else "regressor" if is_regressor(estimator) else family
        if family == "transformer" and not hasattr(estimator, "transform"):
            return Outcome("other", name, "refused", "neither classifies, nor predicts a number, nor transforms")
        model, frame, target = pipeline(name, estimator)
        model.fit(frame, target)
    except Exception as error:  # what scikit-learn refuses to fit on this data is no finding
        return Outcome(family, name, "not fitted", first_line(error))
    try:
        signature = infer_signature(model, frame)
        content = export_model(model, signature, frame, {})
        parity = check_parity(model, content, frame, signature, 1e-5)
    except ExportError as error:
        return Outcome(family, name, "refused", reason(error))
    except Exception as error:  # the finding this program looks for
        return Outcome(family, name, "broken", f"{type(error).__name__}: {first_line(error)}")
    if not parity.passed:
        return Outcome(family, name, "differs", f"{parity.max_difference:.1e}, labels {parity.label_agreement:.1%}")
    return Outcome(family, name, "exact" if parity.max_difference < 1e-9 else "close", f"{parity.max_difference:.0e}")


def reason(error: ExportError) -> str:
    text = str(error).partition("cannot be exported: ")[2] or str(error)
    return text.partition(" Instead: ")[0].rstrip(".")


def first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:120]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", metavar="NAME", help="some estimators; all when none is named")
    only = parser.parse_args().only
    outcomes = []
    for name, kind in all_estimators():
        if not only or name in only:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                outcomes.append(judge(name, kind))
            print(f"{name}: {outcomes[-1].verdict} ({outcomes[-1].detail})", file=sys.stderr, flush=True)
    print("| Estimator | Kind | Verdict | Largest difference or reason |\n|---|---|---|---|")
    for one in sorted(outcomes, key=lambda o: (o.kind, o.name)):
        print(f"| {one.name} | {one.kind} | {one.verdict} | {one.detail} |")
    print(f"\n{dict(Counter(one.verdict for one in outcomes))}")
    return int(any(one.verdict == "broken" for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
