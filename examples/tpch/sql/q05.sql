SELECT
  n_name,
  SUM(l_extendedprice * (1 - l_discount)) AS revenue
FROM {sources.region}
JOIN {sources.nation} ON r_regionkey = n_regionkey
JOIN {sources.customer} ON n_nationkey = c_nationkey
JOIN {sources.orders} ON c_custkey = o_custkey
JOIN {sources.lineitem} ON o_orderkey = l_orderkey
JOIN {sources.supplier} ON l_suppkey = s_suppkey AND c_nationkey = s_nationkey
WHERE r_name = 'ASIA'
  AND o_orderdate >= DATE '1994-01-01'
  AND o_orderdate < DATE '1995-01-01'
GROUP BY n_name
ORDER BY revenue DESC
