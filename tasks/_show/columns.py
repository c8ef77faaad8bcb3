"""Rows as lines of a table, whose columns are as wide as the longest cell in them."""

from collections.abc import Container, Sequence


def aligned(rows: Sequence[Sequence[str]], to_the_right: Container[int]) -> list[str]:
    """A line for each row; the columns with these numbers are flush right, as numbers are read."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_cells(row, widths, to_the_right)).rstrip() for row in rows]


def _cells(row: Sequence[str], widths: Sequence[int], to_the_right: Container[int]) -> list[str]:
    return [
        cell.rjust(width) if number in to_the_right else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
