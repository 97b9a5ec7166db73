"""Scalar expressions, over the columns that a scope has."""

from trees import Both, Tree, listed

COMPARISONS = ["=", "<>", "<", ">=", "<=", ">"]
LITERALS = {
    "int": ["-1", "0", "1", "2", "3"],
    "text": ["'a'", "'ab'", "'B'", "''", "'été'"],
    "bool": ["TRUE", "FALSE"],
    "date": ["DATE '2024-02-29'", "DATE '2024-01-31'", "DATE '1969-12-31'"],
    "time": ["TIMESTAMP '2024-02-29 13:45:30'", "TIMESTAMP '2023-12-31 23:59:59.999999'"],
    "list": ["ARRAY[1, 2]"],
}
FLOATS = ["0.5", "-2.0", "1.0"]
DECIMALS = ["1.50", "-0.25"]
CAST_TYPES = {"int": "BIGINT", "float": "DOUBLE", "text": "VARCHAR", "bool": "BOOLEAN", "date": "DATE", "time": "TIMESTAMP"}
# What single rows may be compared, grouped and sorted by.
PLAIN = ["int", "int", "float", "text", "bool", "date", "time", "dec"]

FRACTIONS = "literals with a fraction are 64-bit floats"
NO_MATCH = "what a pattern does not match is null, not an empty text"
IN_FRONT = "positions below 1 are in front of a text, as the SQL standard has it"
WIDE = "integers that are computed have 64 bits"


def literal_fraction(text):
    return Tree("float", Both(text, f"CAST({text} AS DOUBLE)", FRACTIONS))


def wide(tree):
    """An integer that arithmetic computes in 64 bits."""
    return Tree("int", Both("", "CAST(", WIDE), tree, Both("", " AS BIGINT)", WIDE))


class Expressions:
    """Draws expressions; `self.draw` is the only source of chance. A scope is a list of `(table, name, kind)`."""

    def __init__(self, draw):
        self.draw = draw

    def one(self, *choices):
        return self.draw.choice(choices)()

    def maybe(self, chance):
        return self.draw.random() < chance

    def literal(self, kind):
        if kind == "float":
            return literal_fraction(self.draw.choice(FLOATS))
        if kind == "dec":
            return Tree("dec", f"CAST('{self.draw.choice(DECIMALS)}' AS DECIMAL(10, 2))")
        if kind == "struct":
            return Tree("struct", "NULL")
        return Tree(kind, self.draw.choice(LITERALS[kind]))

    def columns(self, kind, scope):
        known = {"int": ("int", "key", "wide"), "float": ("float", "single", "real")}.get(kind, (kind,))
        return [column for column in scope if column[2] in known]

    def column(self, kind, scope, exact=None):
        """A column of a kind; `exact` are kinds within it, such as integers that do not overflow when they are summed."""
        columns = [column for column in self.columns(kind, scope) if exact is None or column[2] in exact]
        if not columns:
            return self.literal(kind)
        table, name, own = self.draw.choice(columns)
        tree = Tree(kind, f"{table}.{name}" if table else name)
        tree.own = own
        return tree

    def value(self, kind, scope, depth=2):
        if depth <= 0 or self.maybe(0.35):
            return self.column(kind, scope) if self.maybe(0.93) else self.literal(kind)
        inner = lambda kind: self.value(kind, scope, depth - 1)
        if kind not in ("list", "struct"):
            if self.maybe(0.08):
                members = [inner(kind) for _ in range(self.draw.choice([2, 2, 3]))]
                return Tree(kind, "COALESCE(", listed("members", members), ")")
            if self.maybe(0.1):
                return self.case(kind, scope, depth)
            if self.maybe(0.04):
                return Tree(kind, "NULLIF(", inner(kind), ", ", inner(kind), ")")
            if self.maybe(0.04) and kind not in ("bool", "float"):
                function = self.draw.choice(["GREATEST", "LEAST"])
                return Tree(kind, f"{function}(", inner(kind), ", ", inner(kind), ")")
            if self.maybe(0.02):
                condition = self.condition(scope, depth - 1)
                return Tree(kind, "IF(", condition, ", ", inner(kind), ", ", inner(kind), ")")
        return getattr(self, f"{kind}_value")(scope, depth, inner)

    def case(self, kind, scope, depth):
        inner = lambda kind: self.value(kind, scope, depth - 1)
        branches = []
        operand = self.draw.choice(["int", "text"]) if self.maybe(0.25) else None
        for _ in range(self.draw.choice([1, 1, 2])):
            condition = self.literal(operand) if operand else self.condition(scope, depth - 1)
            branches.append(Tree("branch", "WHEN ", condition, " THEN ", inner(kind)))
        otherwise = Tree("else", " ELSE ", inner(kind), optional=True) if self.maybe(0.7) else ""
        subject = [inner(operand), " "] if operand else []
        return Tree(kind, "CASE ", *subject, listed("branches", branches, " "), otherwise, " END")

    def small(self, scope, depth):
        """An integer whose sums and products stay in 64 bits."""
        if depth <= 0 or self.maybe(0.5):
            return self.column("int", scope, ("int", "key"))
        return self.one(
            lambda: Tree("int", "LENGTH(", self.value("text", scope, depth - 1), ")"),
            lambda: Tree("int", "CAST(", self.value("bool", scope, depth - 1), " AS INTEGER)"),
            lambda: Tree("int", "COALESCE(", self.column("int", scope, ("int", "key")), ", 0)"),
            lambda: Tree("int", "(0 - ", wide(self.column("int", scope, ("int", "key"))), ")"),
        )

    def int_value(self, scope, depth, inner):
        small = lambda: self.small(scope, depth - 1)
        return self.one(
            lambda: Tree("int", "(", wide(small()), f" {self.draw.choice('+-*')} ", wide(small()), ")"),
            lambda: Tree("int", "(", wide(small()), f" {self.draw.choice('+-')} ", wide(small()), ")"),
            lambda: Tree("int", "(", wide(small()), " % ", self.draw.choice(["2", "3", "-2"]), ")"),
            lambda: Tree("int", "ABS(", small(), ")"),
            lambda: Tree("int", "LENGTH(", inner("text"), ")"),
            lambda: Tree("int", "STRPOS(", inner("text"), ", ", self.literal("text"), ")"),
            lambda: Tree("int", "CAST(", inner("bool"), f" AS {self.draw.choice(['INTEGER', 'BIGINT', 'SMALLINT'])})"),
            lambda: Tree("int", f"{self.draw.choice(['YEAR', 'MONTH', 'DAY', 'QUARTER', 'DAYOFYEAR', 'WEEK'])}(", inner("date"), ")"),
            lambda: Tree("int", f"EXTRACT({self.draw.choice(['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'ISODOW', 'DOW', 'DOY'])} FROM ", inner("time"), ")"),
            lambda: Tree("int", f"DATE_DIFF('{self.draw.choice(['day', 'month', 'year', 'quarter'])}', ", inner("date"), ", ", inner("date"), ")"),
            lambda: Tree("int", f"DATE_DIFF('{self.draw.choice(['day', 'hour', 'minute', 'second', 'month'])}', ", inner("time"), ", ", inner("time"), ")"),
            lambda: Tree("int", "TRY_CAST(", inner("text"), " AS BIGINT)"),
            lambda: Tree("int", Both("ARRAY_LENGTH(", "LEN(", "names of functions"), inner("list"), ")"),
            lambda: Tree("int", self.draw.choice(["LIST_MAX(", "LIST_MIN("]), inner("list"), ")"),
            lambda: Tree("int", self.column("list", scope), f"[{self.draw.choice(['1', '2'])}]") if self.columns("list", scope) else small(),
            lambda: self.field("int", "a", scope),
        )

    def field(self, kind, name, scope):
        if not self.columns("struct", scope):
            return self.literal(kind)
        return Tree(kind, self.column("struct", scope), f".{name}")

    def float_value(self, scope, depth, inner):
        return self.one(
            lambda: Tree("float", "(", inner("float"), f" {self.draw.choice('+-*')} ", inner("float"), ")"),
            lambda: Tree("float", "CAST(", inner("int"), " AS DOUBLE)"),
            lambda: Tree("float", "CAST(", inner("dec"), " AS DOUBLE)"),
            lambda: Tree("float", "ABS(", inner("float"), ")"),
            lambda: Tree("float", "-(", self.column("float", scope), ")"),
            lambda: Tree("float", f"{self.draw.choice(['FLOOR', 'CEIL'])}(", inner("float"), ")"),
            lambda: Tree("float", "ROUND(", self.column("float", scope, ("float",)), ", 1)"),
            lambda: Tree("float", "(", wide(self.small(scope, depth - 1)), " / NULLIF(", wide(self.small(scope, depth - 1)), ", 0))"),
            lambda: Tree("float", "SQRT(ABS(", self.column("float", scope, ("float",)), "))"),
            lambda: Tree("float", "TRY_CAST(", inner("text"), " AS DOUBLE)"),
            lambda: Tree("float", "POWER(", self.column("float", scope, ("float",)), ", 2)"),
        )

    def text_value(self, scope, depth, inner):
        number = lambda *choices: self.draw.choice(choices)
        pattern = lambda: self.draw.choice(["a+", "^a", "[0-9]+", "b$", ".", "(a|b)", "\\\\s".replace("\\\\", "\\")])
        return self.one(
            lambda: Tree("text", f"{number('UPPER', 'LOWER', 'REVERSE', 'TRIM', 'LTRIM', 'RTRIM')}(", inner("text"), ")"),
            lambda: Tree("text", "(", inner("text"), " || ", inner("text"), ")"),
            lambda: Tree("text", "CONCAT(", inner("text"), ", ", inner("text"), ")"),
            lambda: Tree("text", "CONCAT_WS('-', ", inner("text"), ", ", inner("text"), ")"),
            lambda: self.part(inner("text"), number(1, 2, -1, 3), number(1, 2, 0, 5)),
            lambda: Tree("text", "SUBSTRING(", inner("text"), " FROM ", number("1", "2", Both("-1", "1", IN_FRONT)), ")"),
            lambda: Tree("text", "REPLACE(", inner("text"), f", {number(repr('a'), repr('ab'), repr('B'))}, 'zz')"),
            lambda: Tree("text", f"{number('LEFT', 'RIGHT')}(", inner("text"), f", {number(0, 1, 2)})"),
            lambda: Tree("text", f"{number('LPAD', 'RPAD')}(", inner("text"), f", {number(0, 1, 4)}, '*')"),
            lambda: Tree("text", "SPLIT_PART(", inner("text"), f", {number(repr('-'), repr(' '), repr('a'))}, {number(1, 2, 3)})"),
            lambda: Tree("text", "REGEXP_REPLACE(", inner("text"), f", '{pattern()}', 'Z'", Both("", ", 'g'", "every match is replaced"), ")"),
            lambda: self.extracted(self.column("text", scope).write("ours"), pattern()),
            lambda: Tree("text", "CAST(", inner("int"), " AS VARCHAR)"),
            lambda: Tree("text", "CAST(", inner("date"), " AS VARCHAR)"),
            lambda: Tree("text", "CAST(", inner("dec"), " AS VARCHAR)"),
            lambda: Tree("text", "TRIM(BOTH 'a' FROM ", inner("text"), ")"),
            lambda: self.field("text", "b", scope),
        )

    def part(self, text, start, length):
        """Some characters of a text."""
        left = max(length + min(start, 1) - 1, 0)
        place = Both(f", {start}, {length}", f", {max(start, 1)}, {left}", IN_FRONT) if start < 1 else f", {start}, {length}"
        return Tree("text", "SUBSTR(", text, place, ")")

    def extracted(self, text, pattern):
        found = f"REGEXP_EXTRACT({text}, '{pattern}', 0)"
        return Tree("text", Both(found, f"CASE WHEN REGEXP_MATCHES({text}, '{pattern}') THEN {found} END", NO_MATCH))

    def bool_value(self, scope, depth, inner):
        return Tree("bool", "(", self.condition(scope, depth - 1), ")")

    def interval(self, *units):
        return f"INTERVAL '{self.draw.choice([1, 2, 13])}' {self.draw.choice(units)}"

    def date_value(self, scope, depth, inner):
        unit = lambda: self.draw.choice(["year", "quarter", "month", "day"])
        return self.one(
            lambda: Tree("date", "CAST(", inner("date"), f" {self.draw.choice('+-')} {self.interval('DAY', 'MONTH', 'YEAR')} AS DATE)"),
            lambda: Tree("date", f"CAST(DATE_TRUNC('{unit()}', ", inner("date"), ") AS DATE)"),
            lambda: Tree("date", "LAST_DAY(", inner("date"), ")"),
            lambda: Tree("date", "CAST(", inner("time"), " AS DATE)"),
            lambda: Tree("date", "TRY_CAST(", inner("text"), " AS DATE)"),
        )

    def time_value(self, scope, depth, inner):
        unit = lambda: self.draw.choice(["year", "quarter", "month", "day", "hour", "minute", "second"])
        return self.one(
            lambda: Tree("time", "CAST(", inner("date"), " AS TIMESTAMP)"),
            lambda: Tree("time", "(", inner("time"), f" {self.draw.choice('+-')} {self.interval('DAY', 'HOUR', 'MINUTE', 'MONTH')})"),
            lambda: Tree("time", f"DATE_TRUNC('{unit()}', ", inner("time"), ")"),
        )

    def dec_value(self, scope, depth, inner):
        own = lambda: self.column("dec", scope)
        return self.one(
            lambda: Tree("dec", "(", own(), f" {self.draw.choice('+-')} ", own(), ")"),
            lambda: Tree("dec", "(", own(), " * ", self.literal("dec"), ")"),
            lambda: Tree("dec", "ABS(", own(), ")"),
            lambda: Tree("dec", "-(", own(), ")"),
            lambda: Tree("dec", "CAST(", self.small(scope, 0), " AS DECIMAL(20, 3))"),
            lambda: Tree("dec", "CAST(", own(), " AS DECIMAL(20, 5))"),
        )

    def list_value(self, scope, depth, inner):
        return self.column("list", scope)

    def condition(self, scope, depth=2):
        # Constants decide for all rows at once: mostly, what is compared has a column.
        kinds = [kind for kind in PLAIN if self.columns(kind, scope)]
        kind = self.draw.choice(kinds if kinds and self.maybe(0.95) else PLAIN)
        value = lambda kind: self.value(kind, scope, depth - 1)
        compare = lambda: f" {self.draw.choice(COMPARISONS)} "
        if depth <= 0:
            other = self.column(kind, scope) if self.maybe(0.5) else self.literal(kind)
            return Tree("bool", self.column(kind, scope), compare(), other)
        negation = self.draw.choice(["", "NOT "])
        both = lambda word: Tree(
            "bool", "(", self.condition(scope, depth - 1), f" {word} ", self.condition(scope, depth - 1), ")"
        )
        members = lambda: listed("members", [self.literal(kind) if self.maybe(0.8) else value(kind) for _ in range(self.draw.choice([1, 2, 3]))])
        like = lambda: self.draw.choice(["%a%", "%b", "_", "a%", "", "%", "A%", "_b", "a_"])
        return self.one(
            lambda: Tree("bool", value(kind), compare(), value(kind)),
            lambda: Tree("bool", value(kind), f" IS {negation}NULL"),
            lambda: both("AND"),
            lambda: both("OR"),
            lambda: Tree("bool", "NOT (", self.condition(scope, depth - 1), ")"),
            lambda: Tree("bool", value(kind), f" {negation}BETWEEN ", value(kind), " AND ", value(kind)),
            lambda: Tree("bool", value(kind), f" {negation}IN (", members(), ")"),
            lambda: Tree("bool", value("text"), f" {negation}{self.draw.choice(['LIKE', 'ILIKE'])} '{like()}'"),
            lambda: Tree("bool", value("text"), f" {negation}LIKE '{self.draw.choice(['a!_%', '!%', '%!%%', 'a!!'])}' ESCAPE '!'"),
            lambda: Tree("bool", "(", value(kind), f" IS {negation}DISTINCT FROM ", value(kind), ")"),
            lambda: Tree("bool", "(", self.condition(scope, depth - 1), f") IS {negation}{self.draw.choice(['TRUE', 'FALSE'])}"),
            lambda: Tree("bool", f"{self.draw.choice(['STARTS_WITH', 'ENDS_WITH', 'CONTAINS'])}(", value("text"), ", ", self.literal("text"), ")"),
            lambda: Tree("bool", "REGEXP_MATCHES(", value("text"), f", '{self.draw.choice(['a', '^a.', '[0-9]', 'b$'])}')"),
            lambda: Tree("bool", "LIST_CONTAINS(", value("list"), f", {self.draw.choice(['1', '2', '9'])})"),
            lambda: self.column("bool", scope),
        )
