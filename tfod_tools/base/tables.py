"""Tables as lines of text."""

from __future__ import annotations

import io
from collections.abc import Sequence

from tfod_tools.base import output


def show(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Says the lines of a table."""
    output.say(*lines(columns, rows))


def lines(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """The names of the columns, a rule, and the rows, as lines that fit the terminal (80 columns where there is none).

    Columns of numbers are aligned to the right. Floats have three decimals. None is a dash.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, name in enumerate(columns):
        numeric = all(row[index] is None or isinstance(row[index], int | float) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    out = io.StringIO()
    Console(file=out, highlight=False, markup=False, emoji=False, force_terminal=False).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    return f"{cell:.3f}" if isinstance(cell, float) else output.printable(str(cell))
