"""Words to numbers: CountVectorizer, TfidfVectorizer, TfidfTransformer.

Tokens are found by the same regular expression as in scikit-learn. Lower-casing is done where the raw column enters
(`GraphInputs`, with Python's own rules) and once more in the graph for ASCII, so that the graph alone is right for
plain English text. A column that another step reads as it is gets the second only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .conversion import Conversion
from .graph import Graph
from .table import Table, numbers, width_of

#: Token patterns as scikit-learn writes them, and the same for the tokenizer's regular expressions (RE2).
_PATTERNS = {
    r"(?u)\b\w\w+\b": r"[\p{L}\p{N}_][\p{L}\p{N}_]+",
    r"(?u)\b\w+\b": r"[\p{L}\p{N}_]+",
    r"\w+": r"[\p{L}\p{N}_]+",
}

#: Fills up the shorter rows of tokens; no pattern above can match it.
_PADDING = "#"


def count_words(conversion: Conversion, vectorizer: Any, table: Table) -> Table:
    """CountVectorizer, and the counting half of TfidfVectorizer."""
    graph = conversion.graph
    _check(conversion, vectorizer, table)
    text = graph.op("Reshape", table[0].tensor, graph.constant(np.array([-1], dtype=np.int64)))
    if vectorizer.lowercase:
        # The locale "C" exists everywhere, unlike the default en_US, and knows ASCII.
        text = graph.op("StringNormalizer", text, case_change_action="LOWER", locale="C")
        conversion.lowered.update(table[0].raw)
    tokens = graph.op(
        "Tokenizer",
        text,
        domain="com.microsoft",
        mark=0,
        mincharnum=1,
        pad_value=_PADDING,
        tokenexp=_PATTERNS[vectorizer.token_pattern],
    )
    pools, starts, places = _vocabulary(vectorizer)
    shortest, longest = vectorizer.ngram_range
    counts = graph.op(
        "TfIdfVectorizer",
        tokens,
        mode="TF",
        min_gram_length=int(shortest),
        max_gram_length=int(longest),
        max_skip_count=0,
        ngram_counts=starts,
        ngram_indexes=places,
        pool_strings=pools,
    )
    counted = graph.cast(counts, "double")
    if vectorizer.binary:
        counted = graph.op("Min", counted, graph.constant(np.array(1.0)))
    return numbers(counted, len(vectorizer.vocabulary_), table)


def count_and_weigh_words(conversion: Conversion, vectorizer: Any, table: Table) -> Table:
    """TfidfVectorizer."""
    return weigh_words(conversion, vectorizer._tfidf, count_words(conversion, vectorizer, table))


def weigh_words(conversion: Conversion, transformer: Any, table: Table) -> Table:
    """TfidfTransformer."""
    graph = conversion.graph
    counts = conversion.numbers(transformer, table)
    if transformer.sublinear_tf:
        one = graph.constant(np.array(1.0))
        # The logarithm of a count below one is never used.
        logarithm = graph.op("Add", graph.op("Log", graph.op("Max", counts, one)), one)
        counts = graph.op("Where", graph.op("Greater", counts, graph.constant(np.array(0.0))), logarithm, counts)
    if transformer.use_idf:
        counts = graph.op("Mul", counts, graph.constant(np.asarray(transformer.idf_, dtype=np.float64)[None, :]))
    if transformer.norm is not None:
        absolute = graph.op("Abs", counts) if transformer.norm == "l1" else graph.op("Mul", counts, counts)
        length = graph.sum_columns(absolute)
        if transformer.norm == "l2":
            length = graph.op("Sqrt", length)
        empty = graph.op("Equal", length, graph.constant(np.array(0.0)))
        counts = graph.op("Div", counts, graph.op("Where", empty, graph.constant(np.array(1.0)), length))
    return numbers(counts, width_of(table), table)


def is_only_read_lowered(graph: Graph, tensor: str) -> bool:
    """Whether everything that reads a raw column of text lowers it first, so that it may be lowered on the way in."""
    flattened = graph.readers(tensor)
    return all(
        node.op_type == "Reshape"
        and all(reader.op_type == "StringNormalizer" for reader in graph.readers(node.output[0]))
        for node in flattened
    )


def _check(conversion: Conversion, vectorizer: Any, table: Table) -> None:
    if len(table) != 1 or table[0].width != 1 or table[0].kind != "string":
        conversion.fail(vectorizer, table, "it takes one column of text", "give it one text column by name")
    for option in ("preprocessor", "tokenizer", "strip_accents"):
        if getattr(vectorizer, option) is not None:
            conversion.fail(
                vectorizer,
                table,
                f"its {option} is Python code, which a graph cannot hold",
                f"leave out {option} and prepare the text in the DataFrame",
            )
    if vectorizer.analyzer != "word" or vectorizer.token_pattern not in _PATTERNS:
        conversion.fail(
            vectorizer,
            table,
            "only whole words can be told apart in a graph",
            "use analyzer='word' with the default token_pattern",
        )
    if vectorizer.stop_words is not None and vectorizer.ngram_range[1] > 1:
        conversion.fail(
            vectorizer,
            table,
            "stop words inside word pairs cannot be skipped in a graph",
            "use stop_words with ngram_range=(1, 1), or max_df instead of stop_words",
        )


def _vocabulary(vectorizer: Any) -> tuple[list[str], list[int], list[int]]:
    """Pool of tokens, where each length starts in it, and the output column of each entry, shortest entries first."""
    longest = int(vectorizer.ngram_range[1])
    by_length: list[list[tuple[list[str], int]]] = [[] for _ in range(longest)]
    for words, column in vectorizer.vocabulary_.items():
        tokens = words.split(" ")
        by_length[len(tokens) - 1].append((tokens, int(column)))
    pool: list[str] = []
    starts: list[int] = []
    columns: list[int] = []
    for entries in by_length:
        starts.append(len(pool))
        for tokens, column in entries:
            pool.extend(tokens)
            columns.append(column)
    return pool, starts, columns
