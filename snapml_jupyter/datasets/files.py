"""Tables from files and folders: CSV, Parquet, Arrow; a folder of them as one table, any other folder as its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..domain.dataset import DatasetSource, SourceKind
from ..domain.errors import CannotKeepError, InvalidInputError, NotFoundError

_CSV, _PARQUET, _ARROW = (".csv", ".tsv"), (".parquet", ".pq"), (".arrow", ".feather", ".ipc")
SUFFIXES = (*_CSV, *_PARQUET, *_ARROW)
_SAID = ".csv, .tsv, .parquet, .arrow or .feather"
#: Larger files are read a part at a time.
_LARGE = 256 * 2**20
#: Bytes of a CSV file that its column types are guessed from when it is read in parts.
_BLOCK = 32 * 2**20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: Bytes of pictures and other files that go into one batch.
_FILES_BYTES = 16 * 2**20

Opener = Callable[[], pa.RecordBatchReader]


def source_of(path: Path) -> DatasetSource:
    """How a version of that file or folder names it."""
    kind = SourceKind.FOLDER if path.is_dir() else SourceKind.FILE
    return DatasetSource(kind=kind, name=str(path.absolute()))


def open_file(path: Path) -> pa.Table | Opener:
    """The table of a file or folder, or for a large one what opens it as a stream.

    Raises NotFoundError, or InvalidInputError naming the file that cannot be read.
    """
    if path.is_dir():
        return _open_folder(path)
    if not path.is_file():
        raise NotFoundError(f"There is no file '{path}'.")
    return _guarded(path, lambda: _open_one(path))


def _open_one(path: Path) -> pa.Table | Opener:
    suffix = path.suffix.lower()
    large = path.stat().st_size > _LARGE
    if suffix in _CSV:
        return _open_large_csv(path) if large else _read_csv(path)
    if suffix in _PARQUET:
        from pyarrow import parquet

        file = parquet.ParquetFile(path)
        if large and b"pandas" not in (file.schema_arrow.metadata or {}):
            return lambda: _parquet_reader(path)
        return file.read()
    if suffix in _ARROW:
        from pyarrow import feather

        return feather.read_table(path, memory_map=True)
    raise InvalidInputError(f"'{path.name}' has the suffix '{path.suffix}'; a dataset file ends in {_SAID}.")


def _read_csv(path: Path, columns: dict[str, pa.DataType] | None = None, threads: bool = True) -> pa.Table:
    from pyarrow import csv

    if path.stat().st_size == 0:
        raise InvalidInputError(f"The file '{path}' is empty: not even a line with column names.")
    reading = csv.ReadOptions(use_threads=threads)
    return csv.read_csv(path, reading, _parsing(path), _converting(columns))


def _parsing(path: Path) -> Any:
    from pyarrow import csv

    return csv.ParseOptions(delimiter="\t" if path.suffix.lower() == ".tsv" else ",", newlines_in_values=True)


def _converting(columns: dict[str, pa.DataType] | None) -> Any:
    from pyarrow import csv

    # As pandas reads: an empty field, NA, null and NaN are missing, in text columns too.
    return csv.ConvertOptions(strings_can_be_null=True, column_types=columns)


def _open_large_csv(path: Path) -> pa.Table | Opener:
    """In parts when the first ones say the types of all; else whole, since only then all rows are looked at."""
    from pyarrow import csv

    def opened() -> pa.RecordBatchReader:
        reader: pa.RecordBatchReader = csv.open_csv(
            path, csv.ReadOptions(block_size=_BLOCK), _parsing(path), _converting(None)
        )
        return reader

    try:
        for _ in opened():
            pass
    except pa.ArrowInvalid:
        return _read_csv(path)
    return opened


def _parquet_reader(path: Path) -> pa.RecordBatchReader:
    from pyarrow import parquet

    file = parquet.ParquetFile(path)
    return pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())


def _open_folder(folder: Path) -> pa.Table | Opener:
    files = _files_below(folder)
    if not files:
        raise InvalidInputError(f"The folder '{folder}' has no files.")
    families = {_family(path) for path in files}
    if families == {None}:
        return lambda: _files_reader(folder, files)
    if len(families) > 1:
        odd = next(path for path in files if _family(path) != _family(files[0]))
        raise InvalidInputError(
            f"The folder '{folder}' has files of several kinds: '{files[0].name}' and '{odd.name}'. "
            "Put the tables of one dataset into a folder of their own."
        )
    return _read_tables(files)


def _family(path: Path) -> str | None:
    suffix = path.suffix.lower()
    return next((group[0] for group in (_CSV, _PARQUET, _ARROW) if suffix in group), None)


def _read_tables(files: list[Path]) -> pa.Table:
    """The rows of all files in the order of their paths, columns by name; a column that some files lack is null there."""
    joined = _read_joined(files)
    if joined is not None:
        return joined
    tables = _read_all(files, None)
    try:
        return _unified(tables)
    except pa.ArrowException:
        texts = _as_texts(files, tables)
    try:
        return _unified(texts)
    except pa.ArrowException as error:
        raise CannotKeepError(f"The files of '{files[0].parent}' do not make one table: {error}.") from error


def _read_joined(files: list[Path]) -> pa.Table | None:
    """CSV files of one header as one text, since to parse many small ones costs far more than their bytes.

    None where they are large, differ in their headers, or do not parse: then they are read one by one, and a file that
    cannot be read is named.
    """
    from pyarrow import csv

    if _family(files[0]) != _CSV[0] or len({path.suffix.lower() for path in files}) > 1:
        return None
    if len(files) == 1 or sum(path.stat().st_size for path in files) > _LARGE:
        return None
    header = b""
    pieces: list[bytes] = []
    for path in files:
        first, _, rest = path.read_bytes().removeprefix(_BYTE_ORDER_MARK).partition(b"\n")
        if not pieces:
            header = first.rstrip(b"\r")
        if not header or b'"' in header or first.rstrip(b"\r") != header:
            return None
        if rest.count(b'"') % 2:  # a quote that is not closed would swallow the next file
            return None
        pieces += [rest, b"\n"]
    text = pa.py_buffer(b"".join([header, b"\n", *pieces]))
    try:
        table: pa.Table = csv.read_csv(pa.BufferReader(text), None, _parsing(files[0]), _converting(None))
    except pa.ArrowException:
        return None
    return table


def _unified(tables: list[pa.Table]) -> pa.Table:
    schemas = {table.schema for table in tables}
    if len(schemas) == 1:
        return pa.concat_tables(tables)
    plain = [table.replace_schema_metadata(None) for table in tables]
    return pa.concat_tables(plain, promote_options="permissive")


def _as_texts(files: list[Path], tables: list[pa.Table]) -> list[pa.Table]:
    """The tables with those columns read as text that have text in one file and numbers in another."""
    found: dict[str, set[pa.DataType]] = {}
    for table in tables:
        for field in table.schema:
            found.setdefault(field.name, set()).add(field.type)
    mixed = {name: pa.string() for name, types in found.items() if len(types) > 1 and pa.string() in types}
    return _read_all(files, mixed) if _family(files[0]) == _CSV[0] else tables


def _read_all(files: list[Path], columns: dict[str, pa.DataType] | None) -> list[pa.Table]:
    def read(path: Path) -> pa.Table:
        if _family(path) == _CSV[0]:
            return _guarded(path, lambda: _read_csv(path, columns, threads=False))
        table = open_file(path)
        return table if isinstance(table, pa.Table) else table().read_all()

    with ThreadPoolExecutor() as threads:
        return list(threads.map(read, files, chunksize=32))


def _files_reader(folder: Path, files: list[Path]) -> pa.RecordBatchReader:
    """A table of files: the path below the folder, and the bytes."""
    schema = pa.schema([("path", pa.string()), ("content", pa.large_binary())])

    def batches() -> Iterator[pa.RecordBatch]:
        names: list[str] = []
        contents: list[bytes] = []
        for path in files:
            names.append(path.relative_to(folder).as_posix())
            contents.append(path.read_bytes())
            if sum(map(len, contents)) > _FILES_BYTES:
                yield pa.record_batch([names, contents], schema=schema)
                names, contents = [], []
        yield pa.record_batch([names, contents], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _files_below(folder: Path) -> list[Path]:
    """The files in the order of their paths, without dot files and the marks that Spark and others leave."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        paths = (os.path.join(place, name) for name in names if not name.startswith((".", "_")))
        found.extend(Path(path) for path in paths if os.path.isfile(path))
    return sorted(found, key=lambda path: path.parts)


def _guarded(path: Path, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except pa.ArrowException as error:
        why = str(error).rstrip(".")
        raise InvalidInputError(f"The file '{path}' cannot be read as {path.suffix[1:].lower()}: {why}.") from error
