"""Delta tables of deltalake, which has nothing of ours in it: `write FOLDER` makes tables and prints the rows that they hold,
`read TABLE` prints the rows that deltalake and polars find, `append TABLE FIRST COUNT` commits rows one by one."""

import datetime
import decimal
import json
import os
import struct
import sys
import uuid
import zlib

import deltalake
import polars
import pyarrow
import pyarrow.parquet

UTC = datetime.timezone.utc
HOSTILE = ["a/b", "c%d", "e:f", " g h ", None, "ä=ö&?#", "..", "x'y\"z", "__HIVE", "%2F"]


def plain(value):
    match value:
        case datetime.datetime():
            zoned = value.tzinfo is not None
            value = value.astimezone(UTC).replace(tzinfo=None) if zoned else value
            return value.isoformat(sep=" ", timespec="microseconds") + ("Z" if zoned else "")
        case datetime.date():
            return value.isoformat()
        case decimal.Decimal():
            return str(value)
        case bytes():
            return value.hex()
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def rows(table):
    return [plain(row) for row in sorted(table.to_pylist(), key=lambda row: row["x"])]


def log(table, *entries):
    """A log of entries that deltalake does not write."""
    os.makedirs(f"{table}/_delta_log")
    for version, entry in enumerate(entries):
        with open(f"{table}/_delta_log/{version:020}.json", "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in entry)


def protocol(*features):
    features = list(features)
    return {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features}}


def metadata(fields, partitions=(), **configuration):
    schema = json.dumps({"type": "struct", "fields": fields})
    properties = {name.replace("_", "."): value for name, value in configuration.items()}
    return {"metaData": {"id": "t", "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
                         "partitionColumns": list(partitions), "configuration": properties, "createdTime": 0}}


def field(name, kind, **metadata):
    return {"name": name, "type": kind, "nullable": True, "metadata": metadata}


def part(table, name, **columns):
    os.makedirs(table, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.table(columns), f"{table}/{name}", row_group_size=4)
    return {"path": name, "partitionValues": {}, "size": os.path.getsize(f"{table}/{name}"), "modificationTime": 0, "dataChange": True}


LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def z85(data):
    words = struct.unpack(f">{len(data) // 4}I", data)
    return "".join(LETTERS[word // 85**place % 85] for word in words for place in (4, 3, 2, 1, 0))


def vector(rows):
    """A set of small numbers in the form of Roaring bitmaps."""
    head = struct.pack("<IQIIIHHI", 1681511377, 1, 0, 12346, 1, 0, len(rows) - 1, 16)
    return head + struct.pack(f"<{len(rows)}H", *rows)


def deleted(table):
    """Rows that are deleted by vectors, in the log and in a file."""
    first, second = part(table, "a.parquet", x=list(range(10))), part(table, "b.parquet", x=list(range(10, 20)))
    plain = part(table, "c.parquet", x=[20, 21])
    inline, stored = vector([1, 3, 4, 9]), vector([0, 5])
    name = uuid.UUID(int=7)
    with open(f"{table}/deletion_vector_{name}.bin", "wb") as file:
        file.write(b"\x01" + struct.pack(">I", len(stored)) + stored + struct.pack(">I", zlib.crc32(stored)))
    kinds = [("i", z85(inline), {}, inline, 4), ("u", z85(name.bytes), {"offset": 1}, stored, 2)]
    adds, removes = [], []
    for add, (kind, text, offset, data, count) in zip([first, second], kinds):
        described = {"storageType": kind, "pathOrInlineDv": text, **offset, "sizeInBytes": len(data), "cardinality": count}
        adds.append({"add": {**add, "deletionVector": described}})
        removes.append({"remove": {"path": add["path"], "dataChange": True, "deletionTimestamp": 0}})
    start = [protocol("deletionVectors"), metadata([field("x", "long")])]
    log(table, start + [{"add": add} for add in (first, second, plain)], removes + adds)
    return [{"x": x} for x in range(22) if x not in (1, 3, 4, 9, 10, 15)]


def mapped(table):
    """Columns that have other names in the files."""
    key = "delta.columnMapping.physicalName"
    fields = [field("x", "long", **{key: "col-1"}), field("a b", "string", **{key: "col-2"}), field("p", "string", **{key: "col-3"})]
    add = part(table, "a.parquet", **{"col-2": ["a", None], "col-1": [1, 2]})
    add["partitionValues"] = {"col-3": "q"}
    start = {"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}}
    log(table, [start, metadata(fields, ["p"], delta_columnMapping_mode="name"), {"add": add}])
    return [{"x": 1, "a b": "a", "p": "q"}, {"x": 2, "a b": None, "p": "q"}]


def widened(table):
    """Columns whose types became wider than they are in older files."""
    point, day = datetime.datetime(2024, 1, 31, 12), datetime.date(2024, 1, 31)
    sums = decimal.Decimal("1.25"), decimal.Decimal("12345678.2500")
    old = part(table, "a.parquet", x=pyarrow.array([1], pyarrow.int16()), f=pyarrow.array([7], pyarrow.int32()), d=[day],
               m=pyarrow.array([sums[0]], pyarrow.decimal128(5, 2)), t=pyarrow.array([point], pyarrow.timestamp("ns")))
    new = part(table, "b.parquet", x=[1 << 40], f=[0.5], d=pyarrow.array([point], pyarrow.timestamp("us")),
               m=pyarrow.array([sums[1]], pyarrow.decimal128(12, 4)), t=pyarrow.array([point], pyarrow.timestamp("us")))
    kinds = [("x", "long"), ("f", "double"), ("d", "timestamp_ntz"), ("m", "decimal(12,4)"), ("t", "timestamp_ntz")]
    start = [protocol("typeWidening", "timestampNtz"), metadata([field(*kind) for kind in kinds])]
    log(table, start + [{"add": add} for add in (old, new)])
    noon = "2024-01-31T12:00:00"
    return [{"x": 1, "f": 7.0, "d": "2024-01-31T00:00:00", "m": "1.2500", "t": noon},
            {"x": 1 << 40, "f": 0.5, "d": noon, "m": "12345678.2500", "t": noon}]


def old_times(table):
    """Points in time in 96 bits, as Spark writes them."""
    moments = [datetime.datetime(2024, 1, 31, 12, 0, 0, 123456, tzinfo=UTC), None]
    os.makedirs(table)
    rows = pyarrow.table({"x": [1, 2], "moment": pyarrow.array(moments, pyarrow.timestamp("us", "UTC"))})
    pyarrow.parquet.write_table(rows, f"{table}/a.parquet", use_deprecated_int96_timestamps=True)
    add = {"path": "a.parquet", "partitionValues": {}, "size": 1, "modificationTime": 0, "dataChange": True}
    start = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}
    log(table, [start, metadata([field("x", "long"), field("moment", "timestamp")]), {"add": add}])
    return [{"x": 1, "moment": "2024-01-31 12:00:00.123456Z"}, {"x": 2, "moment": None}]


def checkpointed(table):
    """A log that begins with a checkpoint whose files stand in another file."""
    adds = [part(table, f"{x}.parquet", x=[x]) for x in range(3)]
    start = protocol("v2Checkpoint")
    log(table)
    folder = f"{table}/_delta_log"
    os.makedirs(f"{folder}/_sidecars")
    sidecar = f"{uuid.UUID(int=8)}.parquet"
    kinds = pyarrow.struct([("path", pyarrow.string()), ("partitionValues", pyarrow.map_(pyarrow.string(), pyarrow.string())),
                            ("size", pyarrow.int64()), ("modificationTime", pyarrow.int64()), ("dataChange", pyarrow.bool_())])
    rows = pyarrow.array([{**add, "partitionValues": []} for add in adds], kinds)
    pyarrow.parquet.write_table(pyarrow.table({"add": rows}), f"{folder}/_sidecars/{sidecar}")
    size = os.path.getsize(f"{folder}/_sidecars/{sidecar}")
    lines = [{"checkpointMetadata": {"version": 5}}, start, metadata([field("x", "long")]),
             {"sidecar": {"path": sidecar, "sizeInBytes": size, "modificationTime": 0}}]
    with open(f"{folder}/{5:020}.checkpoint.{uuid.UUID(int=9)}.json", "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    with open(f"{folder}/{6:020}.json", "w") as file:
        file.write(json.dumps({"remove": {"path": "1.parquet", "dataChange": True, "deletionTimestamp": 0}}) + "\n")
    return [{"x": 0}, {"x": 2}]


def write(folder):
    texts = pyarrow.table({"x": list(range(len(HOSTILE))), "p": HOSTILE, "q": [n % 2 for n in range(len(HOSTILE))]})
    day = pyarrow.array([datetime.date(2024, 1, 31), None, datetime.date(1969, 12, 31)])
    point = datetime.datetime(2024, 1, 31, 12, 0, 0, 123456)
    moments = [point, None, datetime.datetime(1969, 12, 31, 23, 59, 59)]
    kinds = pyarrow.table({
        "x": [1, 2, 3],
        "day": day,
        "moment": pyarrow.array(moments, pyarrow.timestamp("us", "UTC")),
        "flag": [True, None, False],
        "number": pyarrow.array([1, None, -3], pyarrow.int32()),
    })
    deltalake.write_deltalake(f"{folder}/texts", texts, partition_by=["p", "q"])
    for name in ["day", "moment", "flag", "number"]:
        deltalake.write_deltalake(f"{folder}/by_{name}", kinds, partition_by=[name])
    wide = f"{folder}/wider"
    deltalake.write_deltalake(wide, pyarrow.table({"x": [1]}))
    more = pyarrow.table({"y": ["b"], "x": [2]})
    deltalake.write_deltalake(wide, more, mode="append", schema_mode="merge")
    deltalake.write_deltalake(wide, pyarrow.table({"x": [3], "z": [1.5]}), mode="append", schema_mode="merge")
    deltalake.DeltaTable(wide).delete("x = 2")
    long = f"{folder}/long"
    for number in range(12):
        deltalake.write_deltalake(long, pyarrow.table({"x": [number]}), mode="append")
    table = deltalake.DeltaTable(long)
    table.create_checkpoint()
    deltalake.write_deltalake(long, pyarrow.table({"x": [12]}), mode="append")
    deltalake.DeltaTable(long).optimize.compact()
    empty = pyarrow.schema([("x", pyarrow.int64()), ("s", pyarrow.string())])
    deltalake.DeltaTable.create(f"{folder}/empty", schema=empty)
    names = ["texts", "by_day", "by_moment", "by_flag", "by_number", "wider", "long", "empty"]
    found = {name: rows(deltalake.DeltaTable(f"{folder}/{name}").to_pyarrow_table()) for name in names}
    by_hand = {"deleted": deleted, "mapped": mapped, "widened": widened, "old_times": old_times,
               "checkpointed": checkpointed}
    return found | {name: make(f"{folder}/{name}") for name, make in by_hand.items()}


def read(table):
    return {
        "version": deltalake.DeltaTable(table).version(),
        "deltalake": rows(deltalake.DeltaTable(table).to_pyarrow_table()),
        "polars": [plain(row) for row in polars.scan_delta(table).sort("x").collect().to_dicts()],
        "some": [row["x"] for row in polars.scan_delta(table).filter(polars.col("x") == 2).collect().to_dicts()],
    }


def append(table, first, count):
    for number in range(int(first), int(first) + int(count)):
        deltalake.write_deltalake(table, pyarrow.table({"x": [number]}), mode="append")
    return {}


def main():
    commands = {"write": write, "read": read, "append": append}
    command, *arguments = sys.argv[1:]
    print(json.dumps(commands[command](*arguments)))


main()
