"""What would help somebody take part, as a condition in SQL."""

from sqlalchemy import Text, cast, inspect

from cop.models.registration import Registration

_COLUMNS = inspect(Registration).columns

HAS_ACCESS_NEEDS = (
    (cast(_COLUMNS.access, Text) != "[]")
    | (_COLUMNS.access_language != "")
    | (_COLUMNS.access_other != "")
)
