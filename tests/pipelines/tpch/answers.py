"""DuckDB's answers to the queries of TPC-H in `examples/tpch/sql`, as one CSV file for each beside this script.

    python answers.py DATA

DATA is the folder with the tables at scale 0.1 that the tests leave in `target/tmp/tpch_0.1/data`. Needs duckdb; the answers
here are those of 2.0.1 on the tables of tpchgen 4.0.0.
"""

import pathlib
import re
import sys

import duckdb

HERE = pathlib.Path(__file__).parent
QUERIES = HERE.parents[2] / "examples/tpch/sql"


def of_files(sql, data):
    """The query with files in the place of frames, each under the name that it has there."""
    source = lambda found: f"'{data}/{found[1]}.parquet'" + (found[2] or f" AS {found[1]}")
    return re.sub(r"\{sources\.(\w+)\}( AS \w+)?", source, sql)


def main():
    connection = duckdb.connect()
    for query in sorted(QUERIES.glob("q*.sql")):
        statement = of_files(query.read_text(), sys.argv[1])
        connection.execute(f"COPY ({statement}) TO '{HERE / query.stem}.csv' (HEADER)")


main()
