"""What a driver may answer otherwise than DuckDB, each with its reason.

What can be written in DuckDB's own words is no matter of this list: see `Both` in `trees.py`.
"""


# The reason, and whether a difference is of that kind; it gets the backend, the text of the statement, and the answer.
DECLARED = []


def declared(backend, tree, answered):
    """The reason why answers may differ, if there is one."""
    text = tree.write("ours")
    for reason, applies in DECLARED:
        if applies(backend, text, answered):
            return reason
    return None
