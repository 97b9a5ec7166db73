"""Three small tables with what goes wrong in them: nulls, duplicates, not-a-number, ends of ranges, no rows at all."""

import datetime
import decimal
import math

# Columns: name, what it is in expressions, type in cases, type in DuckDB.
COLUMNS = [
    ("id", "key", "int64", "BIGINT"),
    ("i", "int", "int64", "BIGINT"),
    ("k", "int", "int64", "BIGINT"),
    ("n", "int", "int32", "INTEGER"),
    ("t", "int", "int8", "TINYINT"),
    ("m", "int", "int16", "SMALLINT"),
    ("u", "int", "uint8", "UTINYINT"),
    ("v", "int", "uint32", "UINTEGER"),
    ("w", "wide", "int64", "BIGINT"),
    ("f", "float", "float64", "DOUBLE"),
    ("h", "single", "float32", "FLOAT"),
    ("g", "real", "float64", "DOUBLE"),
    ("s", "text", "string", "VARCHAR"),
    ("e", "text", "string", "VARCHAR"),
    ("o", "bool", "boolean", "BOOLEAN"),
    ("d", "date", "date", "DATE"),
    ("z", "time", "datetime[us]", "TIMESTAMP"),
    ("p", "dec", "decimal(10,2)", "DECIMAL(10,2)"),
    ("q", "dec", "decimal(18,4)", "DECIMAL(18,4)"),
    ("l", "list", "list<int64>", "BIGINT[]"),
    ("x", "struct", "struct<a:int64,b:string>", "STRUCT(a BIGINT, b VARCHAR)"),
]
KINDS = {name: kind for name, kind, _, _ in COLUMNS}

VALUES = {
    "i": [None, 0, 1, 1, 2, 2, 3, -1],
    "k": [None, 0, 1, 1, 2, 2, 3],
    "n": [None, 0, 1, -1, 5, 100_000],
    "t": [None, 0, 1, -1, 127, -128],
    "m": [None, 0, 1, -1, 32_767, -32_768],
    "u": [None, 0, 1, 2, 255],
    "v": [None, 0, 1, 2, 4_294_967_295],
    "w": [None, 0, 1, -1, 9_223_372_036_854_775_807, -9_223_372_036_854_775_808],
    "f": [None, 0.5, -2.0, 1.0, 2.5, 0.0],
    "h": [None, 0.5, -2.0, 1.0, 0.0],
    "g": [None, math.nan, math.inf, -math.inf, -0.0, 0.0, 1.5, 1e300, 5e-324],
    "s": [None, "a", "b", "ab", "B", ""],
    "e": [None, "", " ", "a b", "aab", "%", "a_c", "été", "日本", "x-1-y", "12", "2024-02-29", "A.b", "ﬁ"],
    "o": [None, True, False],
    "d": [None, "2024-02-29", "2024-01-31", "2023-12-31", "2021-01-03", "1969-12-31"],
    "z": [
        None,
        "2024-02-29T00:00:00",
        "2024-02-29T13:45:30.250000",
        "2023-12-31T23:59:59.999999",
        "1969-12-31T23:00:00",
    ],
    "p": [None, "0.00", "1.50", "-2.25", "99999999.99", "0.01"],
    "q": [None, "0.0000", "1.5000", "-2.2500", "0.0001", "12345.6789"],
    "l": [None, [], [1], [2, None], [3, 1, 2], [None]],
    "x": [None, {"a": 1, "b": "a"}, {"a": None, "b": "b"}, {"a": 2, "b": None}],
}

SIZES = {"A": [0, 3, 5, 6, 7, 8, 8, 9, 9, 9], "B": [0, 2, 4, 5, 6, 7, 8, 9, 9, 9], "C": [0, 2, 4, 5, 6, 7, 7, 8, 8]}
NAMES = {"A": "df", "B": "b", "C": "c"}


def drawn(draw):
    """The rows of each table."""
    tables = {}
    for table, sizes in SIZES.items():
        rows = []
        for number in range(draw.choice(sizes)):
            rows.append([number if name == "id" else draw.choice(VALUES[name]) for name, *_ in COLUMNS])
        tables[table] = rows
    return tables


def frame(rows):
    """A table as a frame of a case."""
    return [
        [name, case_type, [shown(row[at]) for row in rows]] for at, (name, _, case_type, _) in enumerate(COLUMNS)
    ]


def create(connection, tables):
    """The tables in DuckDB."""
    defined = ", ".join(f"{name} {sql_type}" for name, _, _, sql_type in COLUMNS)
    for table, rows in tables.items():
        connection.execute(f"CREATE OR REPLACE TABLE {table} ({defined})")
        if rows:
            values = ", ".join(
                "(" + ", ".join(literal(value, column[3]) for value, column in zip(row, COLUMNS)) + ")" for row in rows
            )
            connection.execute(f"INSERT INTO {table} VALUES {values}")


def literal(value, sql_type):
    """A value in DuckDB's SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"CAST('{value}' AS {sql_type})"
    if isinstance(value, str):
        return "CAST('" + value.replace("'", "''") + f"' AS {sql_type})"
    if isinstance(value, list):
        return "CAST([" + ", ".join(literal(item, "BIGINT") for item in value) + f"] AS {sql_type})"
    if isinstance(value, dict):
        fields = ", ".join(f"'{name}': {literal(item, 'VARCHAR')}" for name, item in value.items())
        return f"CAST({{{fields}}} AS {sql_type})"
    return str(value)


def shown(value):
    """A value as cases write it."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"f": str(value)}
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, dict):
        return {name: shown(item) for name, item in value.items()}
    return value


def smaller(tables):
    """The same tables with fewer rows, the fewest first."""
    found = []
    for table, rows in tables.items():
        if len(rows) > 3:
            found.append({**tables, table: rows[: len(rows) // 2]})
            found.append({**tables, table: rows[len(rows) // 2 :]})
        if rows:
            found.insert(0, {**tables, table: []})
        for at in range(len(rows)):
            found.append({**tables, table: rows[:at] + rows[at + 1 :]})
    return found
