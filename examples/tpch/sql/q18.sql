WITH large AS (
  SELECT l_orderkey AS large_orderkey, SUM(l_quantity) AS sum_quantity
  FROM {sources.lineitem}
  GROUP BY l_orderkey
  HAVING SUM(l_quantity) > 300
)
SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum_quantity
FROM large
JOIN {sources.orders} ON large_orderkey = o_orderkey
JOIN {sources.customer} ON o_custkey = c_custkey
ORDER BY o_totalprice DESC, o_orderdate
LIMIT 100
