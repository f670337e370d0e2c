"""Cells of tables that people open in a spreadsheet."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain_cell(text: str) -> str:
    """Return a cell with an apostrophe in front if a spreadsheet would run it as a formula.

    A program that takes commas for semicolons divides cells otherwise, so whoever writes the table
    quotes each of them (`csv.QUOTE_ALL`).
    """
    return f"'{text}" if text.lstrip("' ").startswith(_FORMULA) else text
