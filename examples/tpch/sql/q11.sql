SELECT ps_partkey, SUM(ps_supplycost * ps_availqty) AS value
FROM {sources.partsupp}, {sources.supplier}, {sources.nation}
WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY'
GROUP BY ps_partkey
HAVING SUM(ps_supplycost * ps_availqty) > (
  SELECT SUM(ps_supplycost * ps_availqty) * 0.001
  FROM {sources.partsupp}, {sources.supplier}, {sources.nation}
  WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY'
)
ORDER BY value DESC, ps_partkey
