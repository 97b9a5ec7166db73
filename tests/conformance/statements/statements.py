"""Statements: what is selected, joined, grouped, sorted and set side by side."""

from expressions import COMPARISONS, PLAIN, Expressions
from tables import COLUMNS
from trees import Both, Tree, listed

OUTPUT = ["int", "int", "float", "text", "bool", "date", "time", "dec"]
SOURCES = ["A", "B", "C"]
DIGITS = "where decimals of 38 digits meet others, no digit behind the point is lost"
COUNTS = "counts of nothing are 0, also those of COUNT_IF"


class Statements(Expressions):
    """Draws statements."""

    def __init__(self, draw):
        super().__init__(draw)
        self.names = 0
        # Common tables in sight: name and the kinds of their columns.
        self.common = []

    def fresh(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def kinds(self):
        return [self.draw.choice(OUTPUT) for _ in range(self.draw.choice([1, 2, 2, 3]))]

    # Sources

    def table(self, alias=None, outer=(), depth=1):
        """A relation and the columns that it has."""
        alias = alias or self.fresh("t")
        chance = self.draw.random()
        if self.common and chance < 0.25:
            name, kinds = self.draw.choice(self.common)
            return Tree("source", f"{name} AS {alias}"), [(alias, f"c{at}", kind) for at, kind in enumerate(kinds)]
        if depth > 0 and chance < 0.33:
            kinds = self.kinds()
            inner = self.query(kinds, depth - 1)
            tree = Tree("source", "(", inner, f") AS {alias}")
            return tree, [(alias, f"c{at}", kind) for at, kind in enumerate(kinds)]
        if chance < 0.36:
            kinds = ["int", "text"]
            rows = [Tree("row", "(", self.literal_or_null("int"), ", ", self.literal_or_null("text"), ")") for _ in range(3)]
            rows.insert(0, Tree("row", "(7, 'v')"))
            tree = Tree("source", "(VALUES ", listed("rows", rows), f") AS {alias}(c0, c1)")
            return tree, [(alias, f"c{at}", kind) for at, kind in enumerate(kinds)]
        name = self.draw.choice(SOURCES)
        return Tree("source", f"{name} AS {alias}"), [(alias, column, kind) for column, kind, _, _ in COLUMNS]

    def literal_or_null(self, kind):
        return Tree(kind, "NULL") if self.maybe(0.2) else self.literal(kind)

    def join_condition(self, left, right, both):
        pair = lambda kind: Tree(
            "bool", self.column(kind, left, ("int", "key") if kind == "int" else None), " = ",
            self.column(kind, right, ("int", "key") if kind == "int" else None),
        )
        kinds = [kind for kind in ("int", "int", "int", "int", "int", "text", "date") if self.columns(kind, left) and self.columns(kind, right)]
        equal = pair(self.draw.choice(kinds or ["int"]))
        if self.maybe(0.1):
            kind = self.draw.choice(["int", "text"])
            equal = Tree("bool", self.column(kind, left), " IS NOT DISTINCT FROM ", self.column(kind, right))
        conditions = [equal]
        for scope, chance in [(right, 0.15), (left, 0.1), (both, 0.15)]:
            if self.maybe(chance):
                conditions.append(self.condition(scope, 1))
        if self.maybe(0.15):
            conditions = conditions[1:] or [self.condition(both, 1)]
        if self.maybe(0.05):
            return Tree("bool", listed("conditions", conditions, " OR "))
        return Tree("bool", listed("conditions", conditions, " AND "))

    def sources(self, outer=(), depth=1):
        """What stands behind FROM, and the columns in sight."""
        first, scope = self.table(outer=outer, depth=depth)
        parts = [first]
        for _ in range(self.draw.choice([0, 1, 1, 1, 2])):
            right, columns = self.table(outer=outer, depth=depth)
            if self.maybe(0.06):
                # Joins bind tighter than commas: what follows would not see the tables before.
                parts.append(Tree("join", ", ", right, optional=True))
                return Tree("from", *parts), self.unambiguous(scope, columns) + columns
            kind = self.draw.choice(
                ["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "SEMI JOIN", "ANTI JOIN"]
            )
            if kind == "CROSS JOIN":
                parts.append(Tree("join", " CROSS JOIN ", right, optional=True))
                scope = self.unambiguous(scope, columns) + columns
                continue
            shared = [(name, kind_) for _, name, kind_ in columns if name in ("k", "s", "d") and self.once(name, scope)]
            if shared and kind not in ("SEMI JOIN", "ANTI JOIN") and self.maybe(0.15):
                name, kind_ = self.draw.choice(shared)
                parts.append(Tree("join", f" {kind} ", right, f" USING ({name})", optional=True))
                # The merged column has no table; those of both sides are left alone.
                rest = [column for column in scope + columns if column[1] != name]
                scope = rest + [(None, name, kind_)]
                continue
            seen = self.unambiguous(scope, columns)
            on = self.join_condition(seen, columns, seen + columns)
            if depth > 0 and self.maybe(0.06):
                on = Tree("bool", on, " AND ", self.by_query(seen + columns, 0))
            parts.append(Tree("join", f" {kind} ", right, " ON ", on, optional=True))
            if kind not in ("SEMI JOIN", "ANTI JOIN"):
                scope = seen + columns
        if depth > 0 and self.maybe(0.05):
            tree, columns = self.lateral(scope)
            return Tree("from", *parts, tree), scope + columns
        if self.maybe(0.04) and self.columns("list", scope):
            alias = self.fresh("u")
            parts.append(Tree("join", " CROSS JOIN UNNEST(", self.column("list", scope), f") AS {alias}(v)", optional=True))
            scope = scope + [(alias, "v", "int")]
        return Tree("from", *parts), scope

    def lateral(self, scope):
        """A join with rows that are made for each row."""
        source, own = self.table(depth=0)
        alias = self.fresh("l")
        matched = self.one(
            lambda: Tree("bool", self.column("int", own, ("int", "key")), " = ", self.column("int", scope, ("int", "key"))),
            lambda: self.condition(own + scope, 1),
            lambda: self.condition(own, 1),
        )
        item, kind = self.one(
            lambda: (self.scalar(own), "int"),
            lambda: (self.column("int", own), "int"),
            lambda: (self.column("text", own), "text"),
            lambda: (self.value("int", own + scope, 1), "int"),
        )
        query = Tree("rest", "SELECT ", item, " AS v FROM ", source, " WHERE ", matched)
        kind_of_join, on = self.one(
            lambda: (" CROSS JOIN LATERAL (", ""),
            lambda: (" LEFT JOIN LATERAL (", " ON TRUE"),
            lambda: (" JOIN LATERAL (", " ON TRUE"),
        )
        return Tree("join", kind_of_join, query, f") AS {alias}{on}", optional=True), [(alias, "v", kind)]

    def unambiguous(self, scope, columns):
        """Without merged columns that are called like one of another table; DuckDB takes the merged one all the same."""
        names = {name for _, name, _ in columns}
        return [column for column in scope if column[0] or column[1] not in names]

    def once(self, name, scope):
        return sum(1 for _, other, _ in scope if other == name) == 1

    # Sub-queries

    def by_query(self, scope, depth=1):
        """A condition with a sub-query."""
        source, own = self.table(depth=0)
        if self.maybe(0.15):
            second, more = self.table(depth=0)
            source = Tree("from", source, self.draw.choice([" JOIN ", " LEFT JOIN "]), second, " ON ", self.join_condition(own, more, own + more))
            own = own + more
        matched = self.one(
            lambda: Tree("bool", self.column("int", own, ("int", "key")), " = ", self.column("int", scope, ("int", "key"))),
            lambda: self.condition(own + scope, 1),
            lambda: self.condition(own, 1),
            lambda: Tree("bool", "(", self.column("int", own), " = ", self.column("int", scope), " AND ", self.condition(own, 1), ")"),
            lambda: Tree("bool", self.column("int", own), " < ", self.column("int", scope)),
        )
        if depth > 0 and self.maybe(0.25):
            matched = Tree("bool", "(", matched, " AND ", self.by_query(own + scope if self.maybe(0.6) else own, depth - 1), ")")
        rest = Tree("rest", "FROM ", source, " WHERE ", matched)
        negation = self.draw.choice(["", "NOT "])
        chance = self.draw.random()
        if chance < 0.3:
            item = self.draw.choice(["1", "*", "COUNT(*)"]) if self.maybe(0.5) else "1"
            return Tree("bool", f"{negation}EXISTS (SELECT {item} ", rest, ")")
        if chance < 0.38:
            kinds = [self.draw.choice(["int", "int", "text", "date"]) for _ in range(2)]
            row = listed("row", [self.column(kind, scope) for kind in kinds])
            columns = listed("row", [self.column(kind, own) for kind in kinds])
            return Tree("bool", "(", row, f") {negation}IN (SELECT ", columns, " ", rest, ")")
        if chance < 0.48:
            kind = self.draw.choice(["int", "int", "text", "float"])
            quantifier = self.draw.choice(["ANY", "ALL"])
            compare = self.draw.choice(COMPARISONS)
            return Tree("bool", self.value(kind, scope, 1), f" {compare} {quantifier} (SELECT ", self.column(kind, own), " ", rest, ")")
        if chance < 0.65:
            kind = self.draw.choice(["int", "int", "text", "date"])
            return Tree("bool", self.value(kind, scope, 1), f" {negation}IN (SELECT ", self.column(kind, own), " ", rest, ")")
        return Tree("bool", self.value("int", scope, 1), f" {self.draw.choice(['=', '<>', '<', '>='])} (SELECT ", self.scalar(own), " ", rest, ")")

    def scalar(self, own):
        """An aggregate that gives an integer."""
        column = lambda: self.column("int", own, ("int", "key"))
        return self.one(
            lambda: Tree("int", "COUNT(*)"),
            lambda: Tree("int", "COUNT(", self.column("text", own), ")"),
            lambda: Tree("int", "MAX(", self.column("int", own), ")"),
            lambda: Tree("int", "MIN(", self.column("int", own), ")"),
            lambda: Tree("int", "SUM(", column(), ")"),
            lambda: Tree("int", "SUM(", column(), ") + 1"),
            lambda: Tree("int", "COUNT(DISTINCT ", column(), ")"),
            lambda: Tree("int", "COALESCE(SUM(", column(), "), -5)"),
        )

    def scalar_query(self, scope):
        source, own = self.table(depth=0)
        matched = self.one(
            lambda: Tree("bool", self.column("int", own, ("int", "key")), " = ", self.column("int", scope, ("int", "key"))),
            lambda: self.condition(own + scope, 1),
            lambda: self.condition(own, 1),
        )
        if self.maybe(0.2) and any(kind == "key" for _, _, kind in own):
            key = self.column("int", own, ("key",))
            order = Tree("order", " ORDER BY ", key, self.draw.choice(["", " DESC"]), f" LIMIT 1{self.draw.choice(['', ' OFFSET 1'])}")
            return Tree("int", "(SELECT ", self.column("int", own), " FROM ", source, " WHERE ", matched, order, ")")
        return Tree("int", "(SELECT ", self.scalar(own), " FROM ", source, " WHERE ", matched, ")")

    # SELECT

    def where(self, scope, depth=1):
        conditions = []
        if self.maybe(0.25):
            conditions.append(self.condition(scope, 2))
        if depth > 0 and self.maybe(0.22):
            conditions.append(self.by_query(scope, 1))
        if depth > 0 and self.maybe(0.06):
            conditions.append(Tree("bool", "(", self.by_query(scope, 0), " OR ", self.condition(scope, 1), ")"))
        if not conditions:
            return Tree("nothing")
        return Tree("where", " WHERE ", listed("conditions", conditions, " AND "), optional=True)

    def named(self, trees):
        return listed("items", [Tree("item", tree, f" AS c{at}") for at, tree in enumerate(trees)])

    def select(self, kinds, depth=1):
        """A SELECT with columns of these kinds."""
        chance = self.draw.random()
        sources, scope = self.sources(depth=depth)
        where = self.where(scope, depth)
        if chance < 0.25:
            return self.groups(kinds, sources, scope, where)
        items = []
        windowed = self.maybe(0.15)
        for kind in kinds:
            if kind == "int" and windowed and self.maybe(0.7):
                items.append(self.window(scope))
            elif kind == "int" and depth > 0 and self.maybe(0.1):
                items.append(self.scalar_query(scope))
            else:
                items.append(self.value(kind, scope, 2))
        distinct = Tree("distinct", "DISTINCT ", optional=True) if self.maybe(0.15) else ""
        qualify = ""
        if windowed and self.maybe(0.3):
            qualify = Tree("qualify", " QUALIFY ", self.window(scope), f" {self.draw.choice(['=', '<', '>='])} 2", optional=True)
        return Tree("select", "SELECT ", distinct, self.named(items), " FROM ", sources, where, qualify)

    def aggregate(self, kind, scope):
        column = lambda kind, exact=None: self.column(kind, scope, exact)
        small = lambda: column("int", ("int", "key"))
        if kind == "int":
            tree = self.one(
                lambda: Tree("int", "COUNT(*)"),
                lambda: Tree("int", "COUNT(", self.value(self.draw.choice(PLAIN), scope, 1), ")"),
                lambda: Tree("int", "SUM(", self.small(scope, 1), ")"),
                lambda: Tree("int", "SUM(DISTINCT ", small(), ")"),
                lambda: Tree("int", "COUNT(DISTINCT ", column(self.draw.choice(PLAIN)), ")"),
                lambda: Tree("int", "SUM(", small(), ") + COUNT(*)"),
                lambda: Tree("int", f"{self.draw.choice(['MIN', 'MAX'])}(", column("int"), ")"),
                lambda: Tree("int", Both("", "COALESCE(", COUNTS), "COUNT_IF(", self.condition(scope, 1), ")", Both("", ", 0)", COUNTS)),
            )
        elif kind == "float":
            tree = self.one(
                lambda: Tree("float", "AVG(", small(), ")"),
                lambda: Tree("float", "AVG(", column("float", ("float",)), ")"),
                lambda: Tree("float", "SUM(", column("float", ("float",)), ")"),
                lambda: Tree("float", f"{self.draw.choice(['MIN', 'MAX'])}(", column("float"), ")"),
                # Rounded: the last digit depends on the order of rows, and set operations tell such values apart.
                lambda: Tree("float", f"ROUND({self.draw.choice(['STDDEV_SAMP', 'VAR_POP', 'VAR_SAMP', 'STDDEV_POP'])}(", column("int", ("int",)), " % 8), 6)"),
                lambda: Tree("float", "MEDIAN(", column("float", ("float",)), ")"),
                lambda: Tree("float", "QUANTILE_CONT(", column("float", ("float",)), f", {self.draw.choice(['0.25', '0.5', '0.9'])})"),
            )
        elif kind == "bool":
            tree = Tree("bool", f"{self.draw.choice(['BOOL_AND', 'BOOL_OR'])}(", self.value("bool", scope, 1), ")")
        elif kind == "dec":
            tree = self.one(
                lambda: Tree("dec", f"{self.draw.choice(['MIN', 'MAX'])}(", column("dec"), ")"),
                lambda: Tree("dec", Both("", "CAST(", DIGITS), "SUM(", column("dec"), ")", Both("", " AS DECIMAL(30, 4))", DIGITS)),
            )
        else:
            tree = Tree(kind, f"{self.draw.choice(['MIN', 'MAX'])}(", self.value(kind, scope, 1), ")")
        if self.maybe(0.15) and len(tree.parts) <= 3 and tree.parts[-1] in (")", "COUNT(*)") and "ROUND" not in tree.parts[0]:
            return Tree(kind, *tree.parts, Tree("filter", " FILTER (WHERE ", self.condition(scope, 1), ")", optional=True))
        return tree

    def groups(self, kinds, sources, scope, where):
        keys, items = [], []
        for kind in kinds:
            if kind in PLAIN and self.maybe(0.5):
                key = self.value(kind, scope, 1) if self.maybe(0.3) else self.column(kind, scope)
                if not self.is_constant(key):
                    keys.append(key)
                    items.append(key)
                    continue
            items.append(self.aggregate(kind, scope))
        if not keys and self.maybe(0.4):
            keys.append(self.column("text", scope))
            if self.is_constant(keys[0]):
                keys = []
        group = Tree("nothing")
        if keys:
            by = listed("keys", keys)
            group = self.one(
                lambda: Tree("group", " GROUP BY ", by),
                lambda: Tree("group", " GROUP BY ", by),
                lambda: Tree("group", " GROUP BY ", by),
                lambda: Tree("group", " GROUP BY ROLLUP (", by, ")"),
                lambda: Tree("group", " GROUP BY CUBE (", by, ")"),
                lambda: Tree("group", " GROUP BY GROUPING SETS ((", by, "), (", keys[0], ")", self.draw.choice([", ()", ""]), ")"),
            )
            if "CUBE" in group.parts[0] or "ROLLUP" in group.parts[0] or "SETS" in group.parts[0]:
                for at, (kind, item) in enumerate(zip(kinds, items)):
                    if kind == "int" and item not in keys and self.maybe(0.4):
                        items[at] = Tree("int", "GROUPING(", self.draw.choice(keys), ")")
        having = Tree("nothing")
        if self.maybe(0.25):
            having = Tree(
                "having", " HAVING ",
                self.one(
                    lambda: Tree("bool", "COUNT(*) > 1"),
                    lambda: Tree("bool", "SUM(", self.column("int", scope, ("int", "key")), ") IS NOT NULL"),
                    lambda: Tree("bool", "MAX(", self.column("text", scope), ") >= 'a'"),
                ),
                optional=True,
            )
        return Tree("select", "SELECT ", self.named(items), " FROM ", sources, where, group, having)

    def is_constant(self, tree):
        """Whether there is no column in it: a number would be the position of one."""
        return not any(hasattr(inner, "own") for inner in tree.trees())

    # Windows

    def window(self, scope):
        """A window function that gives an integer, of whatever order the rows come in."""
        keys = [column for column in scope if column[2] == "key"]
        small = lambda: self.column("int", scope, ("int", "key"))
        direction = lambda: self.draw.choice(["", " DESC"]) + self.draw.choice(["", " NULLS FIRST", " NULLS LAST"])
        partition = Tree("partition", "PARTITION BY ", self.column(self.draw.choice(["text", "int", "bool", "date", "dec", "float"]), scope))
        if self.is_constant(partition):
            partition = Tree("partition")
        some_order = lambda: Tree("order", " ORDER BY ", self.value(self.draw.choice(["int", "text", "date", "float", "dec"]), scope, 1), direction())
        aggregate = lambda: self.one(
            lambda: Tree("int", "SUM(", small(), ")"),
            lambda: Tree("int", "COUNT(*)"),
            lambda: Tree("int", "COUNT(", self.column("text", scope), ")"),
            lambda: Tree("int", "MAX(", small(), ")"),
            lambda: Tree("int", "MIN(", self.column("int", scope), ")"),
        )
        partitioned = lambda: partition if self.maybe(0.6) else Tree("partition")
        whole = lambda: Tree("int", aggregate(), " OVER (", partitioned(), ")")
        tables = {table for table, _, _ in scope}
        total = bool(keys) and {table for table, _, _ in keys} == tables
        choices = [
            whole,
            lambda: Tree("int", aggregate(), " OVER (", partitioned(), some_order(), ")"),
            lambda: Tree("int", f"{self.draw.choice(['RANK', 'DENSE_RANK'])}() OVER (", partitioned(), some_order(), ")"),
            lambda: Tree("int", aggregate(), " OVER (", partitioned(), some_order(), f" GROUPS BETWEEN {self.draw.choice(['1 PRECEDING', 'UNBOUNDED PRECEDING', 'CURRENT ROW'])} AND {self.draw.choice(['1 FOLLOWING', 'CURRENT ROW', 'UNBOUNDED FOLLOWING'])})"),
        ]
        if total:
            order = lambda: Tree(
                "order", " ORDER BY ",
                *([self.column(self.draw.choice(["int", "text"]), scope), direction(), ", "] if self.maybe(0.5) else []),
                listed("keys", [Tree("key", f"{table}.{name}") for table, name, _ in keys]),
            )
            rows = lambda: " ROWS BETWEEN " + self.draw.choice(
                ["1 PRECEDING AND CURRENT ROW", "1 PRECEDING AND 1 FOLLOWING", "UNBOUNDED PRECEDING AND CURRENT ROW",
                 "CURRENT ROW AND UNBOUNDED FOLLOWING", "2 PRECEDING AND 1 PRECEDING", "1 FOLLOWING AND 2 FOLLOWING"]
            )
            choices += [
                lambda: Tree("int", "ROW_NUMBER() OVER (", partitioned(), order(), ")"),
                lambda: Tree("int", aggregate(), " OVER (", partitioned(), order(), rows(), ")"),
                lambda: Tree("int", f"{self.draw.choice(['LAG', 'LEAD'])}(", small(), self.draw.choice(["", ", 1", ", 2", ", 1, -9"]), ") OVER (", partitioned(), order(), ")"),
                lambda: Tree("int", f"{self.draw.choice(['FIRST_VALUE', 'LAST_VALUE'])}(", small(), ") OVER (", partitioned(), order(), rows() if self.maybe(0.5) else "", ")"),
                lambda: Tree("int", "NTILE(2) OVER (", partitioned(), order(), ")"),
            ]
        return self.one(*choices)

    # Queries

    def query(self, kinds, depth=1):
        chance = self.draw.random()
        if chance < 0.15:
            return self.sets(kinds, depth)
        select = self.select(kinds, depth)
        if self.maybe(0.1):
            return Tree("select", select, self.limit(kinds))
        return select

    def sets(self, kinds, depth=1):
        left, right = self.select(kinds, 0), self.select(kinds, 0)
        operator = self.draw.choice(
            ["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL", "UNION BY NAME", "UNION ALL BY NAME"]
        )
        if self.maybe(0.2):
            third = self.select(kinds, 0)
            more = self.draw.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
            return Tree("select", "(", left, f" {operator} ", right, f") {more} ", third)
        return Tree("select", left, f" {operator} ", right)

    def order(self, kinds):
        keys = list(range(len(kinds)))
        self.draw.shuffle(keys)
        direction = lambda: self.draw.choice(["", " DESC", " ASC"]) + self.draw.choice(["", " NULLS FIRST", " NULLS LAST"])
        return " ORDER BY " + ", ".join(
            (f"{key + 1}" if self.maybe(0.3) else f"c{key}") + direction() for key in keys
        )

    def limit(self, kinds):
        """An order of all columns, so that rows that are left out are the same ones."""
        text = self.order(kinds) + f" LIMIT {self.draw.choice([0, 1, 2, 3, 5, 9, 9])}"
        if self.maybe(0.4):
            text += f" OFFSET {self.draw.choice([0, 1, 1, 3])}"
        return Tree("limit", text, optional=True)

    def statement(self):
        """A statement, and whether its rows have an order."""
        kinds = self.kinds()
        with_tables = []
        if self.maybe(0.2):
            for _ in range(self.draw.choice([1, 1, 2])):
                name, own = self.fresh("w"), self.kinds()
                with_tables.append(Tree("common", f"{name} AS (", self.query(own, 1), ")"))
                self.common.append((name, own))
        query = self.query(kinds)
        head = Tree("with", "WITH ", listed("tables", with_tables), " ", optional=True) if with_tables else ""
        ordered = self.maybe(0.25)
        tail = ""
        if ordered and self.maybe(0.1):
            return Tree("statement", head, "SELECT * FROM (", query, f") AS o ORDER BY ALL{self.draw.choice(['', ' DESC'])} NULLS LAST"), True
        if ordered:
            tail = Tree("order", self.order(kinds)) if self.maybe(0.5) else self.limit(kinds)
            query = Tree("select", "SELECT * FROM (", query, ") AS o")
        elif self.maybe(0.04):
            query = Tree("select", "SELECT DISTINCT ON (c0) * FROM (", query, ") AS o")
            tail = Tree("order", " ORDER BY c0" + "".join(f", c{at}" for at in range(1, len(kinds))))
        return Tree("statement", head, query, tail), ordered
