"""The forward and backward pass of a graph as one straight-line NumPy program.

`trace` records what both passes call, `simplify` leaves out what is not needed, `plan` decides
where each result is kept, `writer` turns each operation into lines of Python, in one of `forms`,
and `Step` runs the program in place of the graph.
"""
