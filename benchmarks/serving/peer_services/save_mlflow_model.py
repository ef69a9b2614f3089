"""The fitted pipeline as an MLflow model that answers probabilities: `python save_mlflow_model.py MODEL.joblib FOLDER ROWS`."""

from __future__ import annotations

import json
import sys

import joblib
import mlflow
import pandas as pd

if __name__ == "__main__":
    model = joblib.load(sys.argv[1])
    rows = pd.DataFrame(json.loads(sys.argv[3]))
    signature = mlflow.models.infer_signature(rows, model.predict_proba(rows))
    mlflow.sklearn.save_model(
        model,
        sys.argv[2],
        signature=signature,
        pyfunc_predict_fn="predict_proba",
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
    )
