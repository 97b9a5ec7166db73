"""Random statements with DuckDB's answers, one after the other, for a driver's tests.

    python serve.py BACKEND FIRST COUNT SEED

Needs duckdb (2.0.1). Each line that goes out is `{"number": ..., "case": ..., "smaller": ...}`; the line that comes back says
whether the driver's answer is another one: `{"kind": null}`, or `{"kind": "rows", "text": "..."}`. A statement whose answers
differ is made smaller as long as they differ in the same kind, and the smallest goes out with `"last": true`. The end is
`{"done": {...}}` with counts. The same number and seed are the same statement everywhere.
"""

import json
import random
import sys

import duckdb
import tables
from declared import declared
from statements import Statements
from trees import smaller

# Statements that see the same tables.
GROUP = 20
MOST_ROWS = 150
# Statements that are tried while one is made smaller.
MOST_TRIES = 600

INTEGERS = ["BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT", "HUGEINT", '"NULL"']
TYPES = {"DOUBLE": "float64", "FLOAT": "float64", "VARCHAR": "string", "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "datetime[us]"}


def connect():
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET default_null_order = 'nulls_last'")
    return connection


def case_type(sql_type):
    name = str(sql_type)
    if name in INTEGERS:
        return "int64"
    if name.startswith("DECIMAL"):
        return name.lower().replace(" ", "")
    return TYPES[name]


def answer(connection, statement):
    """The columns of a result as cases write them."""
    result = connection.execute(statement)
    described = [(column[0], case_type(column[1])) for column in result.description]
    rows = result.fetchall()
    return [[name, kind, [tables.shown(row[at]) for row in rows]] for at, (name, kind) in enumerate(described)]


def placeholders(statement):
    for table, name in tables.NAMES.items():
        statement = statement.replace(f" {table} AS ", f" {{{name}}} AS ")
    return statement


class Server:
    def __init__(self, backend, seed):
        self.backend = backend
        self.seed = seed
        self.connection = connect()
        self.rows = {}
        self.counts = {"statements": 0, "refused by DuckDB": 0, "written otherwise": {}, "declared": {}}

    def case(self, number, tree, ordered, reasons=None):
        """The statement with DuckDB's answer."""
        columns = answer(self.connection, tree.write("duckdb"))
        frames = {tables.NAMES[table]: tables.frame(rows) for table, rows in self.rows.items()}
        return {
            "id": f"statements/{number:06}",
            "frames": frames,
            "steps": [{"expr": placeholders(tree.write("ours", reasons))}],
            "expect": {"columns": columns, "ordered": ordered},
        }

    def draw(self, number):
        """The statement of a number: the first of its draws that DuckDB takes, and that does not give too many rows."""
        for attempt in range(100):
            draw = random.Random(f"{self.seed}/{number}/{attempt}")
            tree, ordered = Statements(draw).statement()
            reasons = set()
            try:
                case = self.case(number, tree, ordered, reasons)
            except duckdb.Error as error:
                self.counts["refused by DuckDB"] += 1
                self.revive(error)
                continue
            if len(case["expect"]["columns"][0][2]) <= MOST_ROWS:
                return tree, ordered, case, reasons
        raise RuntimeError(f"no statement of number {number}")

    def serve(self, numbers):
        known = None
        for number in numbers:
            if known != number // GROUP:
                known = number // GROUP
                drawn = tables.drawn(random.Random(f"{self.seed}/tables/{known}"))
                self.use(drawn)
            tree, ordered, case, reasons = self.draw(number)
            self.counts["statements"] += 1
            count(self.counts["written otherwise"], reasons)
            answered = ask({"number": number, "case": case})
            if answered["kind"] is None:
                continue
            reason = declared(self.backend, tree, answered)
            if reason:
                count(self.counts["declared"], [reason])
                continue
            self.shrink(number, tree, ordered, answered)
            self.use(drawn)
        print(json.dumps({"done": self.counts}), flush=True)

    def use(self, rows):
        self.rows = rows
        tables.create(self.connection, rows)

    def revive(self, error):
        """Another database, where a fault of DuckDB's own has closed this one."""
        if isinstance(error, duckdb.InternalException | duckdb.FatalException):
            self.connection = connect()
            self.use(self.rows)

    def shrink(self, number, tree, ordered, answered):
        self.tries = 0
        whole = tree.write("ours")
        # The rows of an order by position cannot be told once columns are left out.
        tree = self.smallest(tree, smaller, lambda tree: self.differs(number, tree, ordered, answered["kind"]))
        self.smallest(self.rows, tables.smaller, lambda rows: self.differs_on(rows, number, tree, ordered, answered["kind"]))
        tree = self.smallest(tree, smaller, lambda tree: self.differs(number, tree, ordered, answered["kind"]))
        duckdb_text = f"{tree.write('duckdb')}\nfrom {whole}\n{answered['text']}\nwhich became"
        ask({"number": number, "case": self.case(number, tree, ordered), "duckdb": duckdb_text})

    def smallest(self, whole, candidates, differs):
        found = True
        while found and self.tries < MOST_TRIES:
            found = False
            for candidate in candidates(whole):
                if self.tries >= MOST_TRIES:
                    break
                if differs(candidate):
                    whole, found = candidate, True
                    break
        return whole

    def differs_on(self, rows, *arguments):
        before = self.rows
        self.use(rows)
        if self.differs(*arguments):
            return True
        self.use(before)
        return False

    def differs(self, number, tree, ordered, kind):
        try:
            case = self.case(number, tree, ordered)
        except (duckdb.Error, KeyError) as error:
            self.revive(error)
            return False
        self.tries += 1
        answered = ask({"number": number, "case": case, "smaller": True})
        return answered["kind"] == kind and not declared(self.backend, tree, answered)


def count(counts, reasons):
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1


def ask(message):
    print(json.dumps(message), flush=True)
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


if __name__ == "__main__":
    first, number, seed = (int(argument) for argument in sys.argv[2:5])
    Server(sys.argv[1], seed).serve(range(first, first + number))
