"""What polars, pyarrow and duckdb see in a file: one JSON request on each line of standard input, one answer on each line
of standard output.

A request names `reader`, `format`, `path`, the `columns` that are expected (name -> type, in order) and, for texts, how
they were written: `separator`, `quote`, `escape`, `newline`, `header`, `null`, `encoding`, `compression`. An answer has `columns`
and `rows`, or says that the reader `cannot` do it, or holds its `error`. Fields of CSV are texts or null.
"""

import bz2
import contextlib
import datetime
import decimal
import json
import sys
import tempfile

import duckdb
import polars
import pyarrow
import pyarrow.csv
import pyarrow.ipc
import pyarrow.json
import pyarrow.orc
import pyarrow.parquet


class Cannot(Exception):
    """The reader has no such thing, whatever the file holds."""


def plain(value):
    """A value in a form that all readers share. Numbers that JSON would round are texts."""
    match value:
        case None | bool() | str():
            return value
        case int() | float() | decimal.Decimal():
            return {"number": str(value)}
        case bytes():
            return {"bytes": value.hex()}
        case datetime.datetime():
            return value.isoformat(sep=" ", timespec="microseconds")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return {"number": str(value // datetime.timedelta(microseconds=1))}
        case dict():
            return {"fields": [[name, plain(item)] for name, item in value.items()]}
        case list() | tuple():
            return [plain(item) for item in value]
    raise TypeError(f"a value of {type(value)}")


# Type names of requests in each reader's words.
POLARS = {
    "int": polars.Int64,
    "float": polars.Float64,
    "text": polars.String,
    "bool": polars.Boolean,
    "ints": polars.List(polars.Int64),
    "pair": polars.Struct({"u": polars.Int64, "v": polars.String}),
}
PYARROW = {
    "int": pyarrow.int64(),
    "float": pyarrow.float64(),
    "text": pyarrow.string(),
    "bool": pyarrow.bool_(),
    "ints": pyarrow.list_(pyarrow.int64()),
    "pair": pyarrow.struct([("u", pyarrow.int64()), ("v", pyarrow.string())]),
}
DUCKDB = {
    "int": "BIGINT",
    "float": "DOUBLE",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "ints": "BIGINT[]",
    "pair": "STRUCT(u BIGINT, v VARCHAR)",
}


def polars_csv(ask):
    if len(ask["newline"].strip("\r\n")) > 1:
        raise Cannot("line ends of several characters")
    if ask["encoding"] != "utf8":
        raise Cannot("other encodings")
    if ask["escape"]:
        raise Cannot("escapes")
    newline = ask["newline"] if ask["newline"].strip("\r\n") else "\n"
    return polars.read_csv(
        ask["path"],
        has_header=ask["header"],
        new_columns=None if ask["header"] else list(ask["columns"]),
        separator=ask["separator"],
        quote_char=ask["quote"],
        eol_char=newline,
        null_values=[ask["null"]] if ask["null"] else None,
        infer_schema=False,
    )


def pyarrow_csv(ask):
    if ask["newline"].strip("\r\n"):
        raise Cannot("line ends of its own")
    if ask["escape"]:
        raise Cannot("escapes inside of quotes alone")
    names = list(ask["columns"])
    with pyarrow.input_stream(ask["path"], compression=ask["compression"]) as source:
        return pyarrow.csv.read_csv(
            source,
            read_options=pyarrow.csv.ReadOptions(
                column_names=None if ask["header"] else names, encoding=ask["encoding"]
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=ask["separator"],
                quote_char=ask["quote"],
                newlines_in_values=True,
                ignore_empty_lines=False,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: pyarrow.string() for name in names},
                null_values=[ask["null"]],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )


def duckdb_csv(ask):
    if ask["newline"].strip("\r\n"):
        raise Cannot("line ends of its own")
    if ask["encoding"] != "utf8":
        raise Cannot("other encodings")
    return duckdb.read_csv(
        ask["path"],
        header=ask["header"],
        sep=ask["separator"],
        quotechar=ask["quote"],
        escapechar=ask["escape"] or ask["quote"],
        na_values=ask["null"],
        allow_quoted_nulls=False,
        compression=ask["compression"] or "none",
        auto_detect=False,
        columns={name: "VARCHAR" for name in ask["columns"]},
        parallel=False,
    )


def polars_lines(ask):
    schema = {name: POLARS[kind] for name, kind in ask["columns"].items()}
    source = ask["path"]
    if ask["encoding"] != "utf8":
        with open(source, encoding=ask["encoding"], newline="") as text:
            source = text.read().encode()
    return polars.read_ndjson(source, schema=schema)


def pyarrow_lines(ask):
    if ask["encoding"] != "utf8":
        raise Cannot("other encodings")
    schema = pyarrow.schema([(name, PYARROW[kind]) for name, kind in ask["columns"].items()])
    options = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    with pyarrow.input_stream(ask["path"], compression=ask["compression"]) as source:
        return pyarrow.json.read_json(source, parse_options=options)


def duckdb_json(form):
    def read(ask):
        if ask["encoding"] != "utf8":
            raise Cannot("other encodings")
        return duckdb.read_json(
            ask["path"],
            format=form,
            columns={name: DUCKDB[kind] for name, kind in ask["columns"].items()},
            compression=ask["compression"] or "uncompressed",
        )

    return read


def polars_array(ask):
    schema = {name: POLARS[kind] for name, kind in ask["columns"].items()}
    return polars.read_json(ask["path"], schema=schema)


def never(why):
    def read(_):
        raise Cannot(why)

    return read


READERS = {
    ("CSV", "polars"): polars_csv,
    ("CSV", "pyarrow"): pyarrow_csv,
    ("CSV", "duckdb"): duckdb_csv,
    ("JSONL", "polars"): polars_lines,
    ("JSONL", "pyarrow"): pyarrow_lines,
    ("JSONL", "duckdb"): duckdb_json("newline_delimited"),
    ("JSON", "polars"): polars_array,
    ("JSON", "pyarrow"): never("documents that are one array"),
    ("JSON", "duckdb"): duckdb_json("array"),
    ("PARQUET", "polars"): lambda ask: polars.read_parquet(ask["path"]),
    ("PARQUET", "pyarrow"): lambda ask: pyarrow.parquet.ParquetFile(ask["path"]).read(),
    ("PARQUET", "duckdb"): lambda ask: duckdb.read_parquet(ask["path"]),
    ("IPC", "polars"): lambda ask: polars.read_ipc(ask["path"]),
    ("IPC", "pyarrow"): lambda ask: pyarrow.ipc.open_file(ask["path"]).read_all(),
    ("IPC", "duckdb"): never("Arrow files"),
    ("AVRO", "polars"): lambda ask: polars.read_avro(ask["path"]),
    ("AVRO", "pyarrow"): never("Avro files"),
    ("AVRO", "duckdb"): never("Avro files without an extension"),
    ("ORC", "polars"): never("ORC files"),
    ("ORC", "pyarrow"): lambda ask: pyarrow.orc.read_table(ask["path"]),
    ("ORC", "duckdb"): never("ORC files"),
}


@contextlib.contextmanager
def readable(ask):
    """The request, for texts of bzip2, which not all readers know, that for what it was made of."""
    is_text = ask["format"] in ("CSV", "JSON", "JSONL")
    if not is_text or ask["compression"] not in ("bzip2", "bz2"):
        yield ask
        return
    with bz2.open(ask["path"]) as text, tempfile.NamedTemporaryFile() as plain:
        plain.write(text.read())
        plain.flush()
        yield ask | {"path": plain.name, "compression": None}


def rows(frame):
    match frame:
        case polars.DataFrame():
            return frame.columns, frame.rows()
        case pyarrow.Table():
            columns = [column.to_pylist() for column in frame.columns]
            return frame.column_names, list(zip(*columns))
    return frame.columns, frame.fetchall()


def answer(ask):
    try:
        with readable(ask) as asked:
            columns, found = rows(READERS[ask["format"], ask["reader"]](asked))
        return {"columns": columns, "rows": [[plain(value) for value in row] for row in found]}
    except Cannot as cannot:
        return {"cannot": str(cannot)}
    # What a reader raises is its answer, of whatever class.
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    except BaseException as panic:
        # A panic inside of polars is no exception.
        if isinstance(panic, (KeyboardInterrupt, SystemExit)):
            raise
        return {"error": f"{type(panic).__name__}: {panic}"}


def main():
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
