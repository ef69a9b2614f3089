"""The model behind LitServe: `python litserve_server.py MODEL.joblib PORT [BATCH_SECONDS]`."""

import sys
from typing import Any

import joblib
import litserve
import pandas as pd


class Rows(litserve.LitAPI):
    """One row a request, one request a run."""

    def setup(self, device: str) -> None:
        self.model = joblib.load(sys.argv[1])

    def decode_request(self, request):  # type: ignore[no-untyped-def]  # LitServe reads the annotation: any JSON has none
        return request

    def predict(self, x: Any) -> Any:
        return self.model.predict_proba(pd.DataFrame([x]))[0]

    def encode_response(self, output: Any) -> dict[str, Any]:
        return {"probabilities": output.tolist()}


class BatchedRows(Rows):
    """One row a request, several requests a run."""

    def batch(self, inputs: list[Any]) -> pd.DataFrame:
        return pd.DataFrame(inputs)

    def predict(self, x: Any) -> Any:
        return self.model.predict_proba(x)

    def unbatch(self, output: Any) -> list[Any]:
        return list(output)


if __name__ == "__main__":
    api = BatchedRows(max_batch_size=64, batch_timeout=float(sys.argv[3])) if len(sys.argv) > 3 else Rows()
    server = litserve.LitServer(api, accelerator="cpu")
    server.run(port=int(sys.argv[2]), host="127.0.0.1", generate_client_file=False, log_level="error")
