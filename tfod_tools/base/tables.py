"""Tables on standard output."""

from __future__ import annotations

from collections.abc import Sequence


def show(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints `rows` under the names of the columns; numbers are right-aligned, floats have three decimals."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, name in enumerate(columns):
        numeric = all(row[index] is None or isinstance(row[index], int | float) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    Console(highlight=False, markup=False).print(table)


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)
