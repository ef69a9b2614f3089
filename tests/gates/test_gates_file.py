"""What a `gates.toml` may say, and the sentence for what it may not."""

from __future__ import annotations

import re

import pytest

from snapml_jupyter.domain.errors import InvalidInputError
from snapml_jupyter.gates.gates_file import read_gates

DATA = '[data]\nref = "held-out@v1"\n'


def test_a_whole_file_is_read() -> None:
    gates = read_gates(
        DATA
        + """target = "answer"
        rows = 500
        [metrics]
        accuracy = { at_least = 0.8 }
        log_loss = { at_most = 1 }
        [recorded]
        "val.auc" = { at_least = 0.7, at_most = 0.99 }
        [champion]
        metric = "auc"
        margin = 0.01
        [validation]
        training = true
        refs = ["held-out@v1"]
        [parity]
        max_difference = 1e-6
        [latency]
        p99 = "5ms"
        [size]
        graph = "10MB"
        """
    )
    assert gates.data is not None
    assert gates.data.rows == 500
    assert gates.metrics["log_loss"].at_most == 1.0
    assert gates.recorded["val.auc"].at_least == 0.7
    assert gates.champion is not None
    assert gates.champion.test == "bootstrap"
    assert gates.needs_graph


def test_what_needs_no_graph_says_so() -> None:
    assert not read_gates('[recorded]\nauc = { at_least = 0.5 }\n[size]\nmodel = "1MB"').needs_graph


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[latensy]\np99 = '5ms'", "The file has the unknown key 'latensy'. Did you mean 'latency'?"),
        ("[latency]\np98 = '5ms'", "[latency] has the unknown key 'p98'. Did you mean 'p99'?"),
        (DATA + "[metrics.accuracy]\natleast = 1", "[metrics.accuracy] has the unknown key 'atleast'. Did you mean 'at_least'?"),
        (DATA + "[metrics.acuracy]\nat_least = 1", "the unknown metric 'acuracy'. Did you mean 'accuracy'?"),
        (DATA + "[metrics.accuracy]", "[metrics.accuracy] needs 'at_least' or 'at_most'"),
        ("[metrics.accuracy]\nat_least = 1", "[metrics] is computed on held-out rows"),
        ("[data]\nrows = 5", "[data] needs 'ref'"),
        (DATA + "rows = 0", "'data.rows' is 0"),
        (DATA + "rows = '5'", "'data.rows' is '5'"),
        (DATA + "[champion]\nmetric = 'auc'", "[champion] needs 'margin'"),
        (DATA + "[champion]\nmetric = 'auc'\ntest = 'mcnemar'", "McNemar's test compares labels"),
        (DATA + "[champion]\nmetric = 'auc'\nmargin = 0.1\ntest = 'bootstrp'", "the unknown test 'bootstrp'. Did you mean 'bootstrap'?"),
        (DATA + "[champion]\nmetric = 'auc'\nmargin = 0.1\nconfidence = 95", "'champion.confidence' is 95"),
        ("[latency]\np99 = 'fast'", "'fast' is not a duration"),
        ("[size]\ngraph = '5 bits'", "'5 bits' is not a size"),
        ("size = 5", "'size' is 5, expected a table"),
        ("[size", "The gates are not TOML"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(sentence)):
        read_gates(text)
