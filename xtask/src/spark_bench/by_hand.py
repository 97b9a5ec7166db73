"""The pipeline of the benchmark by hand: the same reads, steps and writes, sent by pyspark. Prints the seconds that they took, from
the connection to the last write."""

import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

remote, folder, nodes = sys.argv[1], sys.argv[2], int(sys.argv[3])
began = time.perf_counter()
spark = SparkSession.builder.remote(remote).create()
source = f"{folder}/in.parquet"
for node in range(nodes):
    df = spark.read.parquet(source)
    df = spark.sql(f"SELECT x, y * 2 AS y FROM {{df}} WHERE x >= -{node}", df=df)
    df = df.withColumn("z", F.col("x") + 1)
    source = f"{folder}/by_hand/n{node}.parquet"
    df.write.mode("overwrite").parquet(source)
print(time.perf_counter() - began)
