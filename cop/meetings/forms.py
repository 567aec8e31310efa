"""Date and time fields, in the community's time zone."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from dateutil import tz
from wtforms import StringField
from wtforms.validators import ValidationError

from cop.meetings import filters
from cop.meetings.locking import TOPIC_TO_BE_ANNOUNCED
from cop.meetings.schedule import Listing
from cop.web.forms import ConsoleForm, strip_to_one_line
from cop.web.i18n import gettext
from cop.web.rendering import current_community

TIMES = ("date", "starts", "ends")
MIN_YEAR, MAX_YEAR = 1000, 2099


def iso_date(_form: ConsoleForm, field: StringField) -> None:
    """Validate a date."""
    if read_date(field.data) is None:
        raise ValidationError(gettext("Enter the date like 2026-12-15."))


def iso_time(_form: ConsoleForm, field: StringField) -> None:
    """Validate a time of day."""
    if read_time(field.data) is None:
        raise ValidationError(gettext("Enter the time like 11:30 or 14:00."))


class DateTimeForm(ConsoleForm):
    """A date, and a start and an end time on it."""

    zone: ZoneInfo
    date = StringField(filters=[strip_to_one_line], validators=[iso_date])
    starts = StringField(filters=[strip_to_one_line], validators=[iso_time])
    ends = StringField(filters=[strip_to_one_line], validators=[iso_time])

    def value(self, name: str) -> str:
        """Return the value that is to be stored: here always the submitted one."""
        return self[name].data or ""

    def validate_starts(self, field: StringField) -> None:
        moment = self._read(self["date"].data, field.data)
        if moment and not tz.datetime_exists(moment):
            raise ValidationError(
                gettext("The clocks change on this date and skip this time. Choose another.")
            )

    validate_ends = validate_starts

    def moment(self, name: str) -> datetime:
        """Return the start or the end of a valid form, in UTC."""
        moment = self._read(self.value("date"), self.value(name))
        if moment is None:
            raise ValueError(f"{name} of a form that is not valid")
        return moment.astimezone(UTC)

    def _read(self, date_text: str | None, time_text: str | None) -> datetime | None:
        day, time_of_day = read_date(date_text), read_time(time_text)
        return datetime.combine(day, time_of_day, tzinfo=self.zone) if day and time_of_day else None


def read_date(text: str | None) -> date | None:
    """Parse a date in a plausible year, else return None."""
    try:
        day = datetime.strptime(text or "", "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError:
        return None
    return day if MIN_YEAR <= day.year <= MAX_YEAR else None


def read_time(text: str | None) -> time | None:
    """Parse a time of day, else return None."""
    try:
        return datetime.strptime(text or "", "%H:%M").time()  # noqa: DTZ007
    except ValueError:
        return None


def date_warnings(starts_at: datetime, listings: Iterable[Listing]) -> list[str]:
    """Return warnings about a date: holidays, observances, and other sessions on it."""
    zone, date = current_community().zone_info, filters.short_date(starts_at)
    warnings = []
    if special := filters.observances(starts_at):
        warnings.append(gettext("%(date)s is %(special)s.", date=date, special=special))
    day = starts_at.astimezone(zone).date()
    for meeting in listings:
        if meeting.starts_at.astimezone(zone).date() == day and not meeting.is_cancelled:
            topic = meeting.topic or gettext(TOPIC_TO_BE_ANNOUNCED)
            warnings.append(
                gettext("There's already a session on %(date)s: %(topic)s", date=date, topic=topic)
            )
    return warnings
