"""The model behind BentoML: `bentoml serve bentoml_service:Rows`, or `:BatchedRows` with adaptive batching.

MODEL_FILE names the fitted pipeline. The batched one takes a list, because BentoML 1.4.40 fails on batches of DataFrames: it
takes their shape for their length (`PandasDataFrameContainer.get_batch_size`).
"""

from __future__ import annotations

import os
from typing import Any

import bentoml
import joblib
import numpy as np
import pandas as pd


@bentoml.service
class Rows:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL_FILE"])

    @bentoml.api
    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return self.model.predict_proba(rows)


@bentoml.service
class BatchedRows:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL_FILE"])

    @bentoml.api(batchable=True, max_batch_size=64)
    def predict(self, rows: list[dict[str, Any]]) -> np.ndarray:
        return self.model.predict_proba(pd.DataFrame(rows))
