"""What `snapml init-ci` writes: a GitHub Actions workflow that runs the gates and the tests, and gates to start from."""

from __future__ import annotations

from pathlib import Path

from ..domain.errors import ConflictError, InvalidInputError
from ..domain.names import check_name, parse_model_ref
from ..version import __version__

WORKFLOW_PATH = Path(".github/workflows/snapml.yml")
GATES_PATH = Path("gates.toml")

#: `@NAME@` is replaced; `${{ }}` belongs to GitHub.
_WORKFLOW = """\
# Runs the gates of a model version and the tests of an endpoint. Written by `snapml init-ci`; yours to change.
#
# Needed in the repository's settings:
#   variable SNAPML_WORKSPACE   URL under which your Jupyter server or hub answers, as in https://hub.example.org/user/ada
#   secret   SNAPML_TOKEN       a token of it
name: SnapML
on:
  push:
    paths: ["@GATES@", ".github/workflows/snapml.yml"]
  workflow_dispatch:
    inputs:
      model:
        description: Model version to judge, as in NAME:4 or NAME@champion
        default: "@MODEL@"
      endpoint:
        description: Endpoint to test; empty for none
        default: "@ENDPOINT@"
permissions:
  contents: read
env:
  SNAPML_WORKSPACE: ${{ vars.SNAPML_WORKSPACE }}
  SNAPML_TOKEN: ${{ secrets.SNAPML_TOKEN }}
jobs:
  gate:
    runs-on: ubuntu-latest
    timeout-minutes: 20
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install "snapml-jupyter>=@VERSION@"
      - name: Gates
        env:
          MODEL: ${{ inputs.model || '@MODEL@' }}
        run: snapml gate "$MODEL" --file @GATES@ --junit gates.xml
      - name: Endpoint
        if: ${{ !cancelled() && (inputs.endpoint || (github.event_name == 'push' && '@ENDPOINT@')) }}
        env:
          ENDPOINT: ${{ inputs.endpoint || '@ENDPOINT@' }}
        run: snapml test endpoint "$ENDPOINT" --p99 50ms --memory 400MB --junit endpoint.xml
      - uses: actions/upload-artifact@v4
        if: ${{ !cancelled() }}
        with:
          name: snapml-reports
          path: "*.xml"
"""

_GATES = """\
# What a version of '@MODEL@' must be like. Every table is optional; what is not named is not judged.
# All keys: the page "gates" of the documentation. Try it: snapml gate @MODEL@ --file gates.toml

# [data]                            # held-out rows, for [metrics] and [champion]
# ref = "NAME-holdout@v1"           # a dataset version that no model was fitted on
# target = "COLUMN"                 # the column with the truth

# [metrics]                         # computed on [data] with the graph that would be served
# accuracy = { at_least = 0.8 }

# [champion]                        # not worse than the champion on [data]
# metric = "accuracy"
# margin = 0.01                     # so much worse would not matter

# [validation]
# training = true                   # the data it was trained on passed its suite

[parity]                            # the graph answers like the model on rows of its training data
label_agreement = 0.9999

[latency]                           # of single rows through the graph
p99 = "10ms"

[size]
graph = "100MB"
"""


def write_ci(folder: Path, model: str, endpoint: str | None = None, *, force: bool = False) -> list[Path]:
    """Write the workflow and, unless there is one, `gates.toml` below `folder`; returns the files written.

    Raises ConflictError when the workflow is there already and `force` is not given; gates are never overwritten.
    """
    name = parse_model_ref(model).name
    if endpoint is not None:
        check_name("endpoint", endpoint)
    workflow, gates = folder / WORKFLOW_PATH, folder / GATES_PATH
    if workflow.exists() and not force:
        raise ConflictError(f"{workflow} is there already. Overwrite it: snapml init-ci {model} --force")
    written = [workflow]
    try:
        workflow.parent.mkdir(parents=True, exist_ok=True)
        workflow.write_text(_filled(_WORKFLOW, model, endpoint or ""))
        if not gates.exists():
            gates.write_text(_filled(_GATES, name, endpoint or ""))
            written.append(gates)
    except OSError as error:
        raise InvalidInputError(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
    return written


def _filled(template: str, model: str, endpoint: str) -> str:
    values = {"MODEL": model, "ENDPOINT": endpoint, "GATES": str(GATES_PATH), "VERSION": __version__}
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template
