"""Random SELECT statements over three small tables, with the rows that DuckDB gives for them.

    python generate.py [--statements 600] [--seed 1] > sql.jsonl

Needs duckdb (the cases here: 2.0.1). One line is one case, in the form that `cases/oracle/README.md` describes. Each
column of a result is cast to one type, so that the cases compare values and not the widths that engines choose.
"""

import argparse
import datetime
import json
import random

import duckdb

TYPES = {"i": "int", "k": "int", "f": "float", "s": "text", "o": "bool", "d": "date"}
SQL_TYPES = {"int": "BIGINT", "float": "DOUBLE", "text": "STRING", "bool": "BOOLEAN", "date": "DATE"}
CASE_TYPES = {"int": "int64", "float": "float64", "text": "string", "bool": "boolean", "date": "date"}
VALUES = {
    "i": [None, 0, 1, 2, 3, -1],
    "k": [None, 0, 1, 2, 3],
    "f": [None, 0.5, -2.0, 1.0, 2.5],
    "s": [None, "a", "b", "ab", "B", ""],
    "o": [None, True, False],
    "d": [None, "2024-02-29", "2024-01-31", "2023-12-31"],
}
COMPARISONS = ["=", "<>", "<", ">=", "<=", ">"]


class Statement:
    """Draws one statement; `self.draw` is the only source of chance."""

    def __init__(self, draw):
        self.draw = draw
        self.queries = 0

    def one(self, *choices):
        return self.draw.choice(choices)()

    def maybe(self, chance):
        return self.draw.random() < chance

    def literal(self, kind):
        return self.draw.choice(
            {
                "int": ["-1", "0", "1", "2", "3"],
                "float": ["0.5", "-2.0", "1.0"],
                "text": ["'a'", "'ab'", "'B'", "''"],
                "bool": ["TRUE", "FALSE"],
                "date": ["DATE '2024-02-29'", "DATE '2024-01-31'"],
            }[kind]
        )

    def column(self, kind, tables):
        names = [name for name, known in TYPES.items() if known == kind]
        return f"{self.draw.choice(tables)}.{self.draw.choice(names)}"

    def value(self, kind, tables, depth=2):
        if depth <= 0 or self.maybe(0.4):
            return self.column(kind, tables) if self.maybe(0.85) else self.literal(kind)
        inner = lambda kind: self.value(kind, tables, depth - 1)
        if self.maybe(0.1):
            return f"COALESCE({inner(kind)}, {inner(kind)})"
        if self.maybe(0.08):
            condition = self.condition(tables, depth - 1)
            return f"CASE WHEN {condition} THEN {inner(kind)} ELSE {inner(kind)} END"
        if self.maybe(0.04):
            return f"NULLIF({inner(kind)}, {inner(kind)})"
        if kind == "int":
            return self.one(
                lambda: f"({inner('int')} {self.draw.choice('+-*')} {inner('int')})",
                lambda: f"ABS({inner('int')})",
                lambda: f"LENGTH({inner('text')})",
                lambda: f"CAST({inner('bool')} AS INTEGER)",
                lambda: f"YEAR({inner('date')})",
            )
        if kind == "float":
            return self.one(
                lambda: f"({inner('float')} {self.draw.choice('+*')} {inner('float')})",
                lambda: f"CAST({inner('int')} AS DOUBLE)",
                lambda: f"ABS({inner('float')})",
            )
        if kind == "text":
            return self.one(
                lambda: f"UPPER({inner('text')})",
                lambda: f"LOWER({inner('text')})",
                lambda: f"({inner('text')} || {inner('text')})",
                lambda: f"SUBSTR({inner('text')}, 1, 1)",
                lambda: f"REPLACE({inner('text')}, 'a', 'zz')",
                lambda: f"TRIM({inner('text')})",
            )
        if kind == "bool":
            return f"({self.condition(tables, depth - 1)})"
        return inner("date")

    def condition(self, tables, depth=2):
        kind = self.draw.choice(["int", "float", "text", "date"])
        value = lambda kind: self.value(kind, tables, depth - 1)
        compare = lambda: self.draw.choice(COMPARISONS)
        if depth <= 0:
            other = self.column(kind, tables) if self.maybe(0.5) else self.literal(kind)
            return f"{self.column(kind, tables)} {compare()} {other}"
        negation = self.draw.choice(["", "NOT "])
        both = lambda word: f"({self.condition(tables, depth - 1)} {word} {self.condition(tables, depth - 1)})"
        return self.one(
            lambda: f"{value(kind)} {compare()} {value(kind)}",
            lambda: f"{value(kind)} IS {negation}NULL",
            lambda: both("AND"),
            lambda: both("OR"),
            lambda: f"NOT ({self.condition(tables, depth - 1)})",
            lambda: f"{value(kind)} {negation}BETWEEN {value(kind)} AND {value(kind)}",
            lambda: f"{value(kind)} {negation}IN ({self.literal(kind)}, {self.literal(kind)})",
            lambda: f"{value('text')} {negation}LIKE {self.draw.choice(['%a%', '%b', '_', 'a%'])!r}",
            lambda: f"({value(kind)} IS {negation}DISTINCT FROM {value(kind)})",
            lambda: self.column("bool", tables),
        )

    def by_query(self, tables):
        self.queries += 1
        own = f"q{self.queries}"
        source = self.draw.choice("ABC")
        matched = self.one(
            lambda: f"{own}.k = {self.column('int', tables)}",
            lambda: self.condition([own, *tables], 1),
            lambda: self.condition([own], 1),
            lambda: f"({own}.k = {self.column('int', tables)} AND {self.condition([own], 1)})",
        )
        rest = f"FROM {source} AS {own} WHERE {matched}"
        negation = self.draw.choice(["", "NOT "])
        if self.maybe(0.3):
            return f"{negation}EXISTS (SELECT 1 {rest})"
        if self.maybe(0.45):
            kind = self.draw.choice(["int", "text"])
            return f"{self.value(kind, tables, 1)} {negation}IN (SELECT {self.column(kind, [own])} {rest})"
        function = self.draw.choice(["SUM", "MIN", "MAX", "COUNT"])
        return f"{self.column('int', tables)} {self.draw.choice(COMPARISONS)} (SELECT {function}({own}.i) {rest})"

    def sources(self):
        tables, text = ["a"], "A AS a"
        more = self.draw.choice([[], ["b"], ["b"], ["b", "c"]])
        if more == ["b"] and self.maybe(0.1):
            return ["a", "b"], "A AS a, B AS b"
        for name in more:
            source, last = name.upper(), tables[-1]
            kinds = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "SEMI JOIN", "ANTI JOIN"]
            kind = self.draw.choice(kinds)
            if kind == "CROSS JOIN":
                text += f" CROSS JOIN {source} AS {name}"
                tables.append(name)
                continue
            base = self.draw.choice([f"{last}.k = {name}.k", f"{last}.i = {name}.k", f"{last}.i = {name}.i"])
            both = [*tables, name]
            more_conditions = [
                self.condition(scope, 1)
                for scope, chance in [([name], 0.4), (tables, 0.3), (both, 0.3)]
                if self.maybe(chance)
            ]
            conditions = [base, *more_conditions]
            if kind != "FULL JOIN" and self.maybe(0.15):
                conditions = more_conditions or [f"{last}.k < {name}.k"]
            text += f" {kind} {source} AS {name} ON {' AND '.join(conditions)}"
            if kind not in ("SEMI JOIN", "ANTI JOIN"):
                tables.append(name)
        return tables, text

    def aggregate(self, tables):
        column = lambda kind: self.column(kind, tables)
        return self.one(
            lambda: ("int", "COUNT(*)"),
            lambda: ("int", f"COUNT({self.value('int', tables, 1)})"),
            lambda: ("int", f"SUM({self.value('int', tables, 1)})"),
            lambda: ("date", f"MIN({self.value('date', tables, 1)})"),
            lambda: ("text", f"MAX({self.value('text', tables, 1)})"),
            lambda: ("int", f"COUNT(DISTINCT {column('text')})"),
            lambda: ("float", f"AVG({column('int')})"),
            lambda: ("int", f"SUM({column('int')}) FILTER (WHERE {self.condition(tables, 1)})"),
            lambda: ("int", f"SUM({column('int')}) + COUNT(*)"),
        )

    def window(self, tables):
        column = lambda kind: self.column(kind, tables)
        partition = f"PARTITION BY {column('text')}"
        order = f"ORDER BY {column('int')}{self.draw.choice(['', ' DESC'])} NULLS LAST"
        over = self.draw.choice([f"({partition})", f"({partition} {order})", f"({order})", "()"])
        return self.one(
            lambda: f"SUM({column('int')}) OVER {over}",
            lambda: f"COUNT(*) OVER {over}",
            lambda: f"MAX({column('int')}) OVER {over}",
            lambda: f"RANK() OVER ({order})",
            lambda: f"DENSE_RANK() OVER ({partition} {order})",
        )

    def kinds(self):
        return [self.draw.choice(list(SQL_TYPES)) for _ in range(self.draw.choice([1, 2, 3]))]

    def select(self, kinds=None):
        """The kinds of the columns, and the statement; with `kinds`, one of these and without groups."""
        tables, sources = self.sources()
        conditions = []
        if self.maybe(0.5):
            conditions.append(self.condition(tables, 2))
        if self.maybe(0.35):
            conditions.append(self.by_query(tables))
        if self.maybe(0.08):
            conditions.append(f"({self.by_query(tables)} OR {self.condition(tables, 1)})")
        rest = f"FROM {sources}" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
        if kinds is None and self.maybe(0.3):
            return self.groups(tables, rest)
        items = [(kind, self.value(kind, tables, 2)) for kind in kinds or self.kinds()]
        if kinds is None and self.maybe(0.2):
            items.append(("int", self.window(tables)))
        if kinds is None and self.maybe(0.1):
            self.queries += 1
            own = f"q{self.queries}"
            function = self.draw.choice(["COUNT(*)", f"MAX({own}.i)", f"SUM({own}.k) + 1"])
            matched = self.draw.choice([f"{own}.k = a.k", f"{own}.k < a.i", self.condition([own], 1)])
            items.append(("int", f"(SELECT {function} FROM {self.draw.choice('ABC')} AS {own} WHERE {matched})"))
        distinct = "DISTINCT " if self.maybe(0.2) else ""
        return [kind for kind, _ in items], f"SELECT {distinct}{listed(items)} {rest}"

    def groups(self, tables, rest):
        keys = []
        for _ in range(self.draw.choice([0, 1, 1, 2])):
            kind = self.draw.choice(["int", "text", "bool"])
            key = self.value(kind, tables, 1) if self.maybe(0.3) else self.column(kind, tables)
            # A number would be the position of a column.
            keys.append((kind, self.column(kind, tables) if key.lstrip("-").isdigit() else key))
        items = keys + [self.aggregate(tables) for _ in range(self.draw.choice([1, 2]))]
        text = f"SELECT {listed(items)} {rest}"
        if keys:
            by = ", ".join(key for _, key in keys)
            text += " GROUP BY " + self.draw.choice([by, by, by, f"ROLLUP ({by})", f"CUBE ({by})"])
        if self.maybe(0.25):
            text += " HAVING " + self.draw.choice(["SUM(a.k) IS NOT NULL", "COUNT(*) > 1", "MAX(a.i) >= 1"])
        return [kind for kind, _ in items], text

    def statement(self):
        chance = self.draw.random()
        if chance < 0.2:
            kinds = self.kinds()
            operators = ["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"]
            left, right = self.select(kinds)[1], self.select(kinds)[1]
            return kinds, f"{left} {self.draw.choice(operators)} {right}"
        if chance < 0.35:
            inner = self.select(["int", "text"])[1]
            if self.maybe(0.4):
                items = listed([("int", "COUNT(*)"), ("text", "t.c1")])
                return ["int", "text"], f"SELECT {items} FROM ({inner}) AS t GROUP BY t.c1"
            kind = self.draw.choice(["JOIN", "LEFT JOIN", "FULL JOIN"])
            items = listed([("int", "x.c0"), ("text", "y.c1")])
            return ["int", "text"], f"WITH w AS ({inner}) SELECT {items} FROM w AS x {kind} w AS y ON x.c0 = y.c0"
        return self.select()


def listed(items):
    return ", ".join(f"CAST({value} AS {SQL_TYPES[kind]}) AS c{at}" for at, (kind, value) in enumerate(items))


def placeholders(statement):
    for table, name in [("A", "df"), ("B", "b"), ("C", "c")]:
        statement = statement.replace(f" {table} AS ", f" {{{name}}} AS ")
    return statement


def shown(value):
    return value.isoformat() if isinstance(value, datetime.date) else value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--statements", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    made = 0
    while made < options.statements:
        connection = duckdb.connect()
        connection.execute("SET default_null_order = 'nulls_last'")
        frames = {}
        for table, name, sizes in [("A", "df", [0, 3, 6, 9]), ("B", "b", [0, 2, 5, 9]), ("C", "c", [0, 4, 8])]:
            size = draw.choice(sizes)
            columns = {column: [draw.choice(VALUES[column]) for _ in range(size)] for column in TYPES}
            frames[name] = [[column, CASE_TYPES[TYPES[column]], values] for column, values in columns.items()]
            defined = ", ".join(f"{column} {SQL_TYPES[kind]}" for column, kind in TYPES.items())
            connection.execute(f"CREATE TABLE {table} ({defined})")
            for row in zip(*columns.values()):
                connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?)", row)
        for _ in range(20):
            kinds, statement = Statement(draw).statement()
            rows = connection.execute(statement).fetchall()
            if len(rows) > 60:
                continue
            columns = [
                [f"c{at}", CASE_TYPES[kind], [shown(row[at]) for row in rows]] for at, kind in enumerate(kinds)
            ]
            made += 1
            case = {
                "id": f"random/sql/{made:04}",
                "area": "random.sql",
                "tier": 2,
                "frames": frames,
                "steps": [{"expr": placeholders(statement)}],
                "expect": {"columns": columns, "ordered": False},
            }
            print(json.dumps(case))
            if made == options.statements:
                break


main()
