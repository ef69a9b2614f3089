"""What serving costs at least: a raw ASGI callable under uvicorn with one onnxruntime session, nothing checked.

`python bare_callable.py MODEL.onnx PORT`. It reads `{"rows": [...]}`, builds the arrays, runs, and writes the same answer
as an endpoint: no key, no validation, no log, no batching, no metrics.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import uvicorn

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}


def main() -> None:
    """Serve until killed."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(Path(sys.argv[1]).read_bytes(), options)
    inputs = [(item.name, DTYPES[item.type]) for item in session.get_inputs()]
    outputs = [item.name for item in session.get_outputs()]
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode

    async def application(scope, receive, send):  # type: ignore[no-untyped-def]
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        rows = decode(body)["rows"]
        feeds = {name: np.array([row[name] for row in rows], dtype).reshape(-1, 1) for name, dtype in inputs}
        labels, probabilities = session.run(outputs, feeds)
        content = encode(
            {
                "predictions": [
                    {"label": label, "probabilities": {"0": p[0], "1": p[1]}}
                    for label, p in zip(labels.ravel().tolist(), probabilities.tolist(), strict=True)
                ]
            }
        )
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    uvicorn.run(
        application,
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_level="critical",
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )


if __name__ == "__main__":
    main()
