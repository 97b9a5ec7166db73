WITH profit AS (
  SELECT
    n_name AS nation,
    EXTRACT(YEAR FROM o_orderdate) AS o_year,
    l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity AS amount
  FROM {sources.part}
  JOIN {sources.lineitem} ON p_partkey = l_partkey
  JOIN {sources.partsupp} ON l_suppkey = ps_suppkey AND l_partkey = ps_partkey
  JOIN {sources.supplier} ON l_suppkey = s_suppkey
  JOIN {sources.orders} ON l_orderkey = o_orderkey
  JOIN {sources.nation} ON s_nationkey = n_nationkey
  WHERE p_name LIKE '%green%'
)
SELECT nation, o_year, SUM(amount) AS sum_profit
FROM profit
GROUP BY nation, o_year
ORDER BY nation, o_year DESC
