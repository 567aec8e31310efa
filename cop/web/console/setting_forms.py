"""The forms of the settings: what was typed, what of it was changed, and what follows from it."""

from datetime import timedelta

from sqlalchemy.orm import Session
from wtforms import Field as FormField
from wtforms import SelectMultipleField, StringField
from wtforms.validators import ValidationError

from cop import fields
from cop.domain import addresses, reminders, retention
from cop.domain.community import SHIPPED_ABOUT, CommunityFacts, load_community
from cop.errors import InvalidAddress
from cop.web.console.forms import ConsoleForm, Https, area, line, number
from cop.web.console.merging import mark
from cop.web.forms import Needed, lines, one_line
from cop.web.rendering import now, writer
from cop.web.saying import gettext, ngettext
from cop.words import N_

# Who may see an answer to think about goes with its question.
OPTIONAL = [q for q in fields.QUESTIONS if not q.required and q is not fields.PREP_VISIBILITY]
FARTHEST, LONGEST_NOTICE = 28, 60  # days before; minutes after
A_DAY = timedelta(days=1)


class SettingsForm(ConsoleForm):
    """Some of the settings; `before` holds a mark of each, as the form showed it."""

    NAMES: tuple[str, ...] = ()
    before = StringField(filters=[one_line])

    def __init__(self, community: CommunityFacts) -> None:
        super().__init__(self.shown(community) | {"before": self._marks(community)})

    def shown(self, community: CommunityFacts) -> dict[str, object]:
        """The settings as the form shows them."""
        return {name: getattr(community, name) or "" for name in self.NAMES}

    @property
    def changed(self) -> list[str]:
        """What was changed on this page; the rest may have been changed elsewhere meanwhile."""
        marks = (self["before"].data or "").split()
        return [name for name in self.NAMES if mark(name, self[name].data) not in marks]

    @property
    def values(self) -> dict[str, object]:
        """What was changed, by column; only once the form is valid."""
        return {name: self._stored(name) for name in self.changed}

    def is_overtaken(self, community: CommunityFacts) -> bool:
        """Whether somebody else has changed the same meanwhile; says so, and what it is now."""
        marks = (self["before"].data or "").split()
        for name, said in self.shown(community).items():
            here = mark(name, said)
            if name in self.changed and here not in (*marks, mark(name, self[name].data)):
                self[name].errors = [_overtaken(said)]
        if is_overtaken := bool(self.errors):
            self["before"].data = self._marks(community)  # who sends it again has seen that
        return is_overtaken

    def consequences(self, _db_session: Session, _before: CommunityFacts) -> list[str]:
        """What would happen at once, in sentences, where it has just been changed on trial."""
        return []

    def _stored(self, name: str) -> object:
        return self[name].data

    def _marks(self, community: CommunityFacts) -> str:
        return " ".join(mark(name, said) for name, said in self.shown(community).items())


def _overtaken(said: object) -> str:
    text = ", ".join(map(str, said)) if isinstance(said, list) else str(said)
    return gettext(
        "Somebody else has changed this meanwhile. Now it says: %(now)s. Save again to put yours "
        "in its place.",
        now=text if len(text) <= 300 else f"{text[:300]}…",
    )


def _an_address(_form: ConsoleForm, field: FormField) -> None:
    try:
        if field.data:
            addresses.key(field.data)
    except InvalidAddress as refusal:
        raise ValidationError(gettext(refusal.sentence)) from refusal


class CommunityForm(SettingsForm):
    """What the community is called, who is behind it, and whom to ask."""

    NAMES = ("name", "short_name", "host_name", "host_url", "location",
             "contact_name", "contact_role", "contact_email")  # fmt: skip
    name = line(200, Needed(N_("Write what the community is called.")))
    short_name = line(60, Needed(N_("Write a short name: it stands on top of every page.")))
    host_name = line(200, Needed(N_("Write who hosts the community.")))
    host_url = line(2000, Https())
    location = line(200, Needed(N_("Write where sessions are held, like Zoom.")))
    contact_name = line(200, Needed(N_("Write whom people can ask.")))
    contact_role = line(200, Needed(N_("Write what they do there.")))
    contact_email = line(254, _an_address)

    def _stored(self, name: str) -> object:
        return self[name].data or (None if name in {"host_url", "contact_email"} else "")


class AboutForm(SettingsForm):
    """The text of the About page; the one that is shipped is stored as nothing."""

    NAMES = ("about",)
    about = area(20_000, Needed(N_("Write what the community is, or put the shipped text back.")))

    def shown(self, community: CommunityFacts) -> dict[str, object]:
        return {"about": lines(community.about_text)}

    def put_back(self) -> None:
        """Show the text that is shipped; it counts once it is saved."""
        self.about.data = lines(SHIPPED_ABOUT.read_text("utf-8"))

    def _stored(self, name: str) -> object:
        typed = self[name].data
        return None if typed == lines(SHIPPED_ABOUT.read_text("utf-8")) else typed


class QuestionsForm(SettingsForm):
    """Which of the questions that nobody has to answer are asked."""

    NAMES = ("asked",)
    asked = SelectMultipleField(validate_choice=False)

    def shown(self, community: CommunityFacts) -> dict[str, object]:
        return {"asked": [q.name for q in OPTIONAL if q.name not in community.disabled_questions]}

    def validate_asked(self, field: FormField) -> None:
        if not {question.name for question in OPTIONAL}.issuperset(field.data):
            raise ValidationError(gettext("Choose among the questions listed here."))

    @property
    def values(self) -> dict[str, object]:
        asked = self.asked.data or []
        off = [question.name for question in OPTIONAL if question.name not in asked]
        return {"disabled_questions": off} if self.changed else {}


class RemindersForm(SettingsForm):
    """How many days before a session people are reminded, and how soon they hear of changes."""

    NAMES = ("reminder_days", "notice_minutes")
    reminder_days = line(40)
    notice_minutes = line(10)

    def shown(self, community: CommunityFacts) -> dict[str, object]:
        days = ", ".join(map(str, community.reminder_days))
        return {"reminder_days": days, "notice_minutes": str(community.notice_minutes)}

    def validate_reminder_days(self, field: FormField) -> None:
        days = _days(field.data)
        if len(days) > 5 or not all(day and day <= FARTHEST for day in days):
            raise ValidationError(
                gettext("Write up to five numbers of days from 1 to 28, like 7, 1; or nothing.")
            )

    def validate_notice_minutes(self, field: FormField) -> None:
        if not 1 <= (number(field.data) or 0) <= LONGEST_NOTICE:
            raise ValidationError(gettext("Write a number of minutes from 1 to 60."))

    def consequences(self, db_session: Session, _before: CommunityFacts) -> list[str]:
        voice = writer(load_community(db_session))
        due = reminders.due(db_session, writer=voice)
        mails = reminders.queue(db_session, due, writer=voice)
        return [_mails(mails)] if mails and "reminder_days" in self.changed else []

    def _stored(self, name: str) -> object:
        if name == "notice_minutes":
            return number(self[name].data)
        return sorted({day for day in _days(self[name].data) if day}, reverse=True)


def _days(typed: str) -> list[int | None]:
    return [number(day.strip()) for day in typed.split(",") if day.strip()]


def _mails(mails: int) -> str:
    return ngettext(
        "%(num)s reminder goes out at once, since its day has come already.",
        "%(num)s reminders go out at once, since their day has come already.",
        mails,
    )


class RetentionForm(SettingsForm):
    """How long answers are kept after a session: as the form promises at most, or shorter."""

    NAMES = ("retention_days", "short_retention_days")
    retention_days = line(10)
    short_retention_days = line(10)

    def shown(self, community: CommunityFacts) -> dict[str, object]:
        return {
            "retention_days": str(community.long.days),
            "short_retention_days": str(community.short.days),
        }

    def validate_retention_days(self, field: FormField) -> None:
        _check_days(field, fields.LONG)

    def validate_short_retention_days(self, field: FormField) -> None:
        _check_days(field, fields.SHORT)
        if (number(field.data) or 0) > (number(self.retention_days.data or "") or 60):
            raise ValidationError(gettext("This cannot be longer than the names are kept."))

    def consequences(self, db_session: Session, before: CommunityFacts) -> list[str]:
        erased = retention.count_due(db_session, now=now() + A_DAY)
        said = []
        if erased.registrations:
            said.append(_registrations(erased.registrations))
        if erased.answers:
            said.append(_answers(erased.answers))
        after = load_community(db_session)
        if after.long > before.long or after.short > before.short:
            said.append(
                gettext(
                    "Whoever has registered was told a shorter time, and stays longer than that. "
                    "If you can, leave it as it is until their data has gone."
                )
            )
        return said

    def _stored(self, name: str) -> object:
        return number(self[name].data)


def _check_days(field: FormField, most: timedelta) -> None:
    if not 1 <= (number(field.data) or 0) <= most.days:
        sentence = gettext("Write a number of days from 1 to %(most)s.", most=most.days)
        raise ValidationError(sentence)


def _registrations(many: int) -> str:
    return ngettext(
        "Within a day, %(num)s registration is deleted, with the name and all answers.",
        "Within a day, %(num)s registrations are deleted, with the names and all answers.",
        many,
    )


def _answers(many: int) -> str:
    return ngettext(
        "Within a day, %(num)s registration loses its short-lived answers (pronouns, access).",
        "Within a day, %(num)s registrations lose their short-lived answers (pronouns, access).",
        many,
    )
