"""Send CSV files whose cells no spreadsheet takes for formulas (CSV injection)."""

import io
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import BinaryIO, TextIO, cast

from flask import Response, send_file
from sqlalchemy.orm import Session

from cop.db.engine import snapshot_tx

TIMEOUT_SECONDS = 120  # limit of the database's time to read a list
# What makes a spreadsheet read a cell as a formula, also in full width. Spaces and quotes before it
# are skipped, since readers may drop them.
_FORMULA = r"[\s\"]*[=+@|%\t＝＋－＠｜％-]"  # noqa: RUF001
_FORMULA_AT_START = re.compile(rf"[\t\r\n]|{_FORMULA}")
# Excel splits at ";" in many locales, other programs at tabs. Then a cell may begin inside one of
# these, where its quotes protect nothing: a line break in it ends the row, too.
_FORMULA_INSIDE = re.compile(rf"[;\t\r\n](?={_FORMULA})")
_ANY_FORMULA = re.compile(rf"[\0;\t\r\n](?:{_FORMULA}|[\r\n])")  # in cells joined by NUL


def guard_formula(cell: str) -> str:
    """Prefix a CSV cell that could be a formula with an apostrophe.

    Each part inside it that would be a formula to a program that splits at semicolons, tabs or line
    breaks gets an apostrophe, too. Nothing is removed.
    """
    text = cell.lstrip()
    inside = _FORMULA_INSIDE.sub(r"\g<0>'", text)
    if inside == text and not _FORMULA_AT_START.match(cell):
        return cell
    whole = cell.removesuffix(text) + inside
    return whole if whole.startswith("'") else f"'{whole}"


def guard_column(cells: Sequence[str]) -> Sequence[str]:
    """Guard the cells of a column; one search over all of them skips most columns."""
    if _ANY_FORMULA.search("\0".join(["", *cells])):
        return list(map(guard_formula, cells))
    return cells


def csv_file(name: str, write: Callable[[Session, TextIO], None]) -> Response:
    """Respond with a CSV file, with its Content-Length."""
    file = _written(write)
    response = send_file(file, mimetype="text/csv", as_attachment=True, download_name=name)
    response.content_length = os.fstat(file.fileno()).st_size
    response.cache_control.no_store = True
    return response


def _written(write: Callable[[Session, TextIO], None]) -> BinaryIO:
    """Write the list to an unnamed temporary file, which only this process can read.

    It is complete before the first byte is sent: a slow client holds no transaction, and an error
    halfway gives an error page, never a truncated list.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    text.write("\ufeff")  # for Excel; the "utf-8-sig" codec is slower on each line
    with ExitStack() as on_error, snapshot_tx(seconds=TIMEOUT_SECONDS) as db_session:
        on_error.callback(text.close)
        write(db_session, text)
        on_error.pop_all()
    text.flush()
    text.detach()
    file.seek(0)
    return cast("BinaryIO", file)
