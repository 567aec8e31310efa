"""Send lists as CSV files whose cells no spreadsheet takes for formulas."""

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

TIMEOUT_SECONDS = 120  # that the database may take to read a list
# What makes a spreadsheet read a cell as a formula, also in full width. Spaces and quotes before it
# are skipped, since readers may drop them.
_FORMULA = r"[\s\"]*[=+@|%\t＝＋－＠｜％-]"  # noqa: RUF001
_FORMULA_AT_START = re.compile(rf"[\t\r\n]|{_FORMULA}")
# Excel splits at ";" in many locales, others at tabs. Cells then begin elsewhere than ours, and
# quotes of ours protect nothing, so that a line break ends the row, too.
_FORMULA_INSIDE = re.compile(rf"[;\t\r\n](?={_FORMULA})")
_ANY_FORMULA = re.compile(rf"[\0;\t\r\n](?:{_FORMULA}|[\r\n])")  # each cell after a NUL


def guard_formula(cell: str) -> str:
    """Make a CSV cell harmless in spreadsheets by an apostrophe before it; remove nothing.

    Another one goes before each part inside it that would be a formula to a reader that splits at
    semicolons, tabs or line breaks, where the first apostrophe protects nothing.
    """
    text = cell.lstrip()
    inside = _FORMULA_INSIDE.sub(r"\g<0>'", text)
    if inside == text and not _FORMULA_AT_START.match(cell):
        return cell
    whole = cell.removesuffix(text) + inside
    return whole if whole.startswith("'") else f"'{whole}"


def guard_column(cells: Sequence[str]) -> Sequence[str]:
    """Guard the cells of a column; one search finds that most columns need nothing."""
    if _ANY_FORMULA.search("\0".join(["", *cells])):
        return list(map(guard_formula, cells))
    return cells


def csv_file(name: str, write: Callable[[Session, TextIO], None]) -> Response:
    """Respond with a CSV file, whose length is known before its first byte is sent."""
    file = _written(write)
    response = send_file(file, mimetype="text/csv", as_attachment=True, download_name=name)
    response.content_length = os.fstat(file.fileno()).st_size
    response.cache_control.no_store = True
    return response


def _written(write: Callable[[Session, TextIO], None]) -> BinaryIO:
    """Write the list to a file without a name, which only this process can read.

    It is complete before the first byte is sent: no slow client holds a transaction, and an error
    halfway is an error page, never a shorter list.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    text.write("\ufeff")  # for Excel; Python's "utf-8-sig" would look for it at each line
    with ExitStack() as unless_written, snapshot_tx(seconds=TIMEOUT_SECONDS) as db_session:
        unless_written.callback(text.close)
        write(db_session, text)
        unless_written.pop_all()
    text.flush()
    text.detach()
    file.seek(0)
    return cast("BinaryIO", file)
