"""Cells of tables that people open in a spreadsheet."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_BEFORE = "' "  #: what a spreadsheet, or whoever makes a cell plain again, looks past


def plain_cell(text: str) -> str:
    """Return a cell with an apostrophe in front if a spreadsheet would run it as a formula.

    A program that takes commas for semicolons divides cells otherwise, so whoever writes the table
    quotes each of them (`csv.QUOTE_ALL`, `FORCE_QUOTE *`).
    """
    return f"'{text}" if text.lstrip(_BEFORE).startswith(_FORMULA) else text


def read_plain_cell(cell: str) -> str:
    """Return what `plain_cell` was given: one apostrophe before a formula is taken off."""
    return cell[1:] if cell[:1] == "'" and plain_cell(cell) != cell else cell


def plain_cell_sql(text: str) -> str:
    """Return the same as an expression of SQL, for tables that COPY writes.

    Most cells are known to be plain by their first character: there may be a million.
    """
    begins = rf"left({text}, 1) IN ('''', ' ', '=', '+', '-', '@', E'\t', E'\r', E'\n')"
    runs = rf"{text} ~ E'^[\' ]*[=+@\\t\\r\\n-]'"
    return f"CASE WHEN {begins} AND {runs} THEN '''' || {text} ELSE {text} END"
