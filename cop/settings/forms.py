"""Forms of the settings, one for each section."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from sqlalchemy.orm import Session
from wtforms import Field as FormField
from wtforms import SelectMultipleField
from wtforms.validators import Optional, ValidationError

from cop.community.community import DEFAULT_ABOUT, CommunityFacts, load_community
from cop.i18n import N_
from cop.privacy import deletion
from cop.questions import registry
from cop.questions.retention import RETENTION, SHORT_RETENTION
from cop.reminders import reminders
from cop.web.edit_conflicts import EditConflictForm
from cop.web.forms import (
    Https,
    Required,
    area,
    email_address,
    line,
    normalize_newlines,
    parse_integer,
)
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import now, writer

OPTIONAL_QUESTIONS = [q for q in registry.QUESTIONS if not q.required and not q.asked_with]
_NAME_DAYS = N_("Names and most answers: enter a number of days from 1 to %(most)s.")
_SENSITIVE_DAYS = N_("Sensitive answers: enter a number of days from 1 to %(most)s.")
MAX_REMINDER_DAYS, MAX_NOTICE_MINUTES = 28, 60  # days before a session; minutes after a change


class SettingsForm(EditConflictForm):
    """One section of the settings; its fields are named like the columns."""

    @property
    def values(self) -> dict[str, object]:
        """Return the changed values of a valid form, by column."""
        return {name: self._column(name) for name in self.changed}

    def consequences(self, _db_session: Session, _before: CommunityFacts) -> Iterable[str]:
        """Describe what saving has done, in a transaction that is rolled back afterwards."""
        return []

    def _column(self, name: str) -> object:
        return self[name].data


class CommunityForm(SettingsForm):
    """Name, host and contact of the community."""

    name = line(200, Required(N_("Enter the name of the community.")))
    short_name = line(60, Required(N_("Enter a short name. It's shown at the top of every page.")))
    host_name = line(200, Required(N_("Enter the name of the host organization.")))
    host_url = line(2000, Https())
    location = line(200, Required(N_("Enter where you meet, like Zoom.")))
    contact_name = line(200, Required(N_("Enter the name of the contact person.")))
    contact_role = line(200, Required(N_("Enter the job title of the contact person.")))
    contact_email = line(254, Optional(), email_address)

    def form_values(self, row: CommunityFacts) -> dict[str, object]:
        names = (
            *("name", "short_name", "host_name", "host_url"),
            *("location", "contact_name", "contact_role", "contact_email"),
        )
        return {name: getattr(row, name) or "" for name in names}

    def _column(self, name: str) -> object:
        return self[name].data or None


class AboutForm(SettingsForm):
    """The text of the About page; the shipped text is stored as NULL."""

    about = area(20_000, Required(N_("Enter some text, or use the default text.")))

    def form_values(self, row: CommunityFacts) -> dict[str, object]:
        return {"about": normalize_newlines(row.about_text)}

    def reset_to_default(self) -> None:
        """Fill in the shipped text, without saving it."""
        self.about.data = normalize_newlines(DEFAULT_ABOUT)

    def _column(self, name: str) -> object:
        text = self[name].data
        return None if text == normalize_newlines(DEFAULT_ABOUT) else text


class QuestionsForm(SettingsForm):
    """Which optional questions are asked."""

    asked = SelectMultipleField(validate_choice=False)

    def form_values(self, row: CommunityFacts) -> dict[str, object]:
        asked = [q.name for q in OPTIONAL_QUESTIONS if q.name not in row.disabled_questions]
        return {"asked": asked}

    def validate_asked(self, field: FormField) -> None:
        if not {question.name for question in OPTIONAL_QUESTIONS}.issuperset(field.data):
            raise ValidationError(gettext("Choose from the questions listed here."))

    @property
    def values(self) -> dict[str, object]:
        asked = self.asked.data or []
        disabled = [question.name for question in OPTIONAL_QUESTIONS if question.name not in asked]
        return {"disabled_questions": disabled} if self.changed else {}


class RemindersForm(SettingsForm):
    """Days before a session to remind, and minutes after a change to notify."""

    reminder_days = line(40)
    notice_minutes = line(10)

    def form_values(self, row: CommunityFacts) -> dict[str, object]:
        days = ", ".join(map(str, row.reminder_days))
        return {"reminder_days": days, "notice_minutes": str(row.notice_minutes)}

    def validate_reminder_days(self, field: FormField) -> None:
        days = _parse_days(field.data)
        if len(days) > 5 or not all(day and day <= MAX_REMINDER_DAYS for day in days):
            raise ValidationError(
                gettext("Enter up to five numbers from 1 to 28, like 7, 1, or leave this blank.")
            )

    def validate_notice_minutes(self, field: FormField) -> None:
        if not 1 <= (parse_integer(field.data) or 0) <= MAX_NOTICE_MINUTES:
            raise ValidationError(gettext("Enter a number of minutes from 1 to 60."))

    def consequences(self, db_session: Session, _before: CommunityFacts) -> list[str]:
        if "reminder_days" not in self.changed:
            return []
        new_writer = writer(load_community(db_session))  # with the new days
        due = reminders.find_due(db_session, writer=new_writer)
        count = reminders.queue(db_session, due, writer=new_writer)
        sentence = ngettext(
            "%(num)s reminder goes out right away, because its day has already come.",
            "%(num)s reminders go out right away, because their day has already come.",
            count,
        )
        return [sentence] if count else []

    def _column(self, name: str) -> object:
        if name == "notice_minutes":
            return parse_integer(self[name].data)
        return sorted({day for day in _parse_days(self[name].data) if day}, reverse=True)


def _parse_days(typed: str) -> list[int | None]:
    return [parse_integer(day.strip()) for day in typed.split(",") if day.strip()]


class RetentionForm(SettingsForm):
    """How long data is stored after a session; never longer than RETENTION."""

    retention_days = line(10)
    short_retention_days = line(10)

    def form_values(self, row: CommunityFacts) -> dict[str, object]:
        return {
            "retention_days": str(row.retention.days),
            "short_retention_days": str(row.short_retention.days),
        }

    def validate_retention_days(self, field: FormField) -> None:
        _check_days(field, RETENTION, _NAME_DAYS)

    def validate_short_retention_days(self, field: FormField) -> None:
        _check_days(field, SHORT_RETENTION, _SENSITIVE_DAYS)
        longest = parse_integer(self.retention_days.data or "") or RETENTION.days
        if (parse_integer(field.data) or 0) > longest:
            raise ValidationError(
                gettext(
                    "Sensitive answers can't be kept longer than names. Enter a smaller number."
                )
            )

    def consequences(self, db_session: Session, before: CommunityFacts) -> Iterator[str]:
        due = deletion.count_due(db_session, now=now() + timedelta(days=1))
        if due.registrations:
            yield ngettext(
                "Within a day, we delete %(num)s registration with its name and all answers.",
                "Within a day, we delete %(num)s registrations with their names and all answers.",
                due.registrations,
            )
        if due.answers:
            yield ngettext(
                "Within a day, we delete pronouns, access needs and other sensitive answers from "
                "%(num)s registration.",
                "Within a day, we delete pronouns, access needs and other sensitive answers from "
                "%(num)s registrations.",
                due.answers,
            )
        after = load_community(db_session)
        if after.retention > before.retention or after.short_retention > before.short_retention:
            yield gettext(
                "We told people who already registered that we'd delete their data sooner. If you "
                "can, wait to save this until their data is deleted."
            )

    def _column(self, name: str) -> object:
        return parse_integer(self[name].data)


def _check_days(field: FormField, most: timedelta, sentence: str) -> None:
    if not 1 <= (parse_integer(field.data) or 0) <= most.days:
        raise ValidationError(gettext(sentence, most=most.days))
