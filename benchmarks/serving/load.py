"""One row a request over kept connections, as fast as answers come: by wrk, or by the client here where wrk is missing."""

from __future__ import annotations

import asyncio
import math
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

SERVER_CORE, CLIENT_CORE = 0, 1
#: An answer that takes longer is a failure.
TIMEOUT_SECONDS = 10

_REPORT = """
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("counted %d %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one measurement found; times are infinite when nothing was answered.

    `n_failed` are answers with another status than 200, and connections that failed or waited too long.
    """

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    n_failed: int = 0


def median_load(loads: list[Load]) -> Load:
    """The median of each figure; failures are added up."""
    return Load(
        requests_per_second=statistics.median(load.requests_per_second for load in loads),
        p50_ms=statistics.median(load.p50_ms for load in loads),
        p99_ms=statistics.median(load.p99_ms for load in loads),
        n_failed=sum(load.n_failed for load in loads),
    )


def pinned(core: int) -> list[str]:
    """The words in front of a command that keep it on one core, where taskset is installed."""
    return ["taskset", "-c", str(core)] if shutil.which("taskset") else []


def measure(url: str, headers: Mapping[str, str], body: bytes, concurrency: int, seconds: float) -> Load:
    """POST the body again and again over so many connections at once."""
    if shutil.which("wrk"):
        return _measure_wrk(url, headers, body, concurrency, seconds)
    return asyncio.run(_measure_here(url, headers, body, concurrency, seconds))


def _measure_wrk(url: str, headers: Mapping[str, str], body: bytes, concurrency: int, seconds: float) -> Load:
    lines = ['wrk.method = "POST"', f"wrk.body = [==[{body.decode()}]==]"]
    lines += [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text("\n".join([*lines, _REPORT]))
        # wrk takes whole seconds.
        command = [
            *pinned(CLIENT_CORE),
            "wrk",
            "-t1",
            f"-c{concurrency}",
            f"-d{max(1, round(seconds))}s",
            "--timeout",
            f"{TIMEOUT_SECONDS}s",
        ]
        done = subprocess.run([*command, "-s", str(script), url], capture_output=True, text=True, check=True)
    found = next(line for line in done.stdout.splitlines() if line.startswith("counted"))
    n_requests, took_us, p50_us, p99_us, n_refused, n_lost = map(float, found.split()[1:])
    if n_requests == 0:
        p50_us = p99_us = math.inf
    return Load(
        requests_per_second=(n_requests - n_refused) / took_us * 1e6,  # what came late is lost to wrk, but it came
        p50_ms=p50_us / 1e3,
        p99_ms=p99_us / 1e3,
        n_failed=int(n_refused + n_lost),
    )


async def _measure_here(url: str, headers: Mapping[str, str], body: bytes, concurrency: int, seconds: float) -> Load:
    """By a client that is slower than wrk: only the ratios mean something."""
    where = urlsplit(url)
    head = "".join(f"{name}: {value}\r\n" for name, value in {"host": where.netloc, **headers}.items())
    request = f"POST {where.path} HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body
    times: list[float] = []
    n_failed = 0
    began = time.perf_counter()

    async def client() -> None:
        nonlocal n_failed
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        while (sent_at := time.perf_counter()) < began + seconds:
            writer.write(request)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = next(line for line in answer.split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
            times.append(time.perf_counter() - sent_at)
            n_failed += not answer.startswith(b"http/1.1 200")
        writer.close()

    await asyncio.gather(*[client() for _ in range(concurrency)])
    cuts = statistics.quantiles(times, n=100) if len(times) > 1 else [math.inf] * 99
    answered = (len(times) - n_failed) / (time.perf_counter() - began)
    return Load(requests_per_second=answered, p50_ms=cuts[49] * 1e3, p99_ms=cuts[98] * 1e3, n_failed=n_failed)
