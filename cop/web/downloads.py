"""Send CSV files without cells that spreadsheets evaluate (CSV injection)."""

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

TIMEOUT_SECONDS = 120  # for reading a list from the database
# A cell that begins so may be a formula to a spreadsheet: also with a full-width character, and
# after spaces and quotes, which spreadsheets may drop.
_FORMULA = r"[\s\"]*[=+@|%\t＝＋－＠｜％-]"  # noqa: RUF001
_FORMULA_AT_START = re.compile(rf"[\t\r\n]|{_FORMULA}")
# In many locales Excel splits rows at ";", and other programs split them at tabs. To them a cell
# may begin inside one of our cells, and a line break there ends the row, whatever the quotes.
_FORMULA_INSIDE = re.compile(rf"[;\t\r\n](?={_FORMULA})")
_ANY_FORMULA = re.compile(rf"[\0;\t\r\n](?:{_FORMULA}|[\r\n])")  # for cells joined by NUL


def guard_formula(cell: str) -> str:
    """Put an apostrophe before a CSV cell that could be a formula.

    Each part of it that could be a formula if it is split at a semicolon, tab or line break gets
    an apostrophe, too. Nothing is removed.
    """
    text = cell.lstrip()
    inside = _FORMULA_INSIDE.sub(r"\g<0>'", text)
    if inside == text and not _FORMULA_AT_START.match(cell):
        return cell
    whole = cell.removesuffix(text) + inside
    return whole if whole.startswith("'") else f"'{whole}"


def guard_column(cells: Sequence[str]) -> Sequence[str]:
    """Guard the cells of a column, if a quick search finds a formula in any."""
    if _ANY_FORMULA.search("\0".join(["", *cells])):
        return list(map(guard_formula, cells))
    return cells


def csv_file(name: str, write: Callable[[Session, TextIO], None]) -> Response:
    """Respond with a CSV file, with its Content-Length."""
    file = _write_temporary(write)
    response = send_file(file, mimetype="text/csv", as_attachment=True, download_name=name)
    response.content_length = os.fstat(file.fileno()).st_size
    response.cache_control.no_store = True
    return response


def _write_temporary(write: Callable[[Session, TextIO], None]) -> BinaryIO:
    """Write the list to an unnamed temporary file, which only this process can read.

    It is complete before the first byte is sent. So a slow client does not keep the transaction
    open, and an error halfway leads to an error page instead of a truncated list.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    text.write("\ufeff")  # so that Excel reads UTF-8; the codec "utf-8-sig" is slower on each line
    with ExitStack() as on_error, snapshot_tx(seconds=TIMEOUT_SECONDS) as db_session:
        on_error.callback(text.close)  # undone by pop_all() if nothing fails
        write(db_session, text)
        on_error.pop_all()
    text.flush()
    text.detach()  # otherwise the file would be closed together with `text`
    file.seek(0)
    return cast("BinaryIO", file)
