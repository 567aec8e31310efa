"""The registry of questions: why each is asked, who sees it, how long.

The form, the "your data" page, the attendee CSV, erasure and retention are made from it, so that
they cannot disagree. Coordinators see every answer; `seen_by` says what is more to it. To add a
question, add an entry here, a column of the same name to `Registration`, and a migration.
"""

from collections.abc import Iterable

from cop import email_addresses
from cop.i18n import N_
from cop.models.registration import Member
from cop.questions.field import Choice, Export, Field, Kind
from cop.questions.retention import RETENTION, SHORT_RETENTION


def _text(name: str, label: str, export_prefix: str = "") -> Field:
    """A text input below the choices of another question."""
    return Field(name, label, "", None, export_prefix=export_prefix)


SESSIONS = Field(
    "sessions",
    N_("Sessions"),
    N_("Check the sessions you plan to attend."),
    RETENTION,
    kind=Kind.SESSIONS,
    missing=N_("Check at least one session."),
    stored=(),
)
NAME = Field(
    "name",
    N_("Name"),
    N_("What you go by in the session."),
    RETENTION,
    missing=N_("Enter your name."),
    limit=200,
    autocomplete="name",
)
EMAIL = Field(
    "email",
    N_("Email"),
    N_("For your join link, reminders, changes and notes about these sessions."),
    RETENTION,
    kind=Kind.EMAIL,
    missing=email_addresses.INVALID,
    limit=254,
    autocomplete="email",
    stored=("email", "email_key"),
)
ORGANIZATION = Field(
    "organization",
    N_("Organization"),
    N_("Helps us mix small groups. Leave blank if you're not representing one."),
    RETENTION,
    limit=200,
    autocomplete="organization",
)
PRONOUNS = Field(
    "pronouns",
    N_("Pronouns"),
    N_("So we address you correctly."),
    SHORT_RETENTION,
    limit=60,
)
HATS = Field(
    "hats",
    N_("Your role in data work"),
    N_("Helps us plan small groups. Check any that apply."),
    RETENTION,
    kind=Kind.SEVERAL,
    blank=[],
    choices=(
        Choice("analyst", N_("Data analyst")),
        Choice("evaluator", N_("Evaluator")),
        Choice("researcher", N_("Researcher")),
        Choice("data-coordinator", N_("Data coordinator")),
        Choice("gis-analyst", N_("GIS analyst")),
        Choice("program-manager", N_("Program manager")),
        Choice("case-manager", N_("Case manager")),
        Choice("administrative-staff", N_("Administrative staff")),
    ),
    other_texts=(_text("hats_other", N_("Another role, in your own words")),),
)
LIVED_EXPERIENCE = Field(
    "lived_experience",
    N_("I'm one of the people the data describes"),
    N_("So we know whose voices are in the room. Never shown next to your name."),
    SHORT_RETENTION,
    kind=Kind.CHECKBOX,
    blank=False,
    export=Export.NEVER,
)
ACCESS = Field(
    "access",
    N_("What would help you take part?"),
    N_("So we can arrange it. Automatic captions are always on, and you don't need to say why."),
    SHORT_RETENTION,
    seen_by=N_("Seen by coordinators only, and left out of the list they usually download."),
    kind=Kind.SEVERAL,
    blank=[],
    choices=(
        Choice("asl", N_("American Sign Language (ASL) interpreter")),
        Choice("cart", N_("Live captions by a person (CART)")),
        Choice("interpretation", N_("Interpretation into another language")),
        Choice("slides", N_("Slides before the session")),
        Choice("phone", N_("Joining by phone")),
        Choice("main-room", N_("Staying in the main room during small groups")),
    ),
    other_texts=(
        _text("access_language", N_("Which language do you need?"), "language: "),
        _text("access_other", N_("Something else, in your own words")),
    ),
    export=Export.ON_REQUEST,
)
TAKING_PART = Field(
    "taking_part",
    N_("How you like to take part"),
    N_("Helps us plan. Every way is welcome, and you can change your mind."),
    SHORT_RETENTION,
    kind=Kind.SEVERAL,
    blank=[],
    choices=(
        Choice("talk", N_("I like to talk")),
        Choice("type", N_("I like to type in the chat")),
        Choice("listen", N_("I like to listen")),
    ),
)
FIRST_TIME = Field(
    "first_time",
    N_("This is my first time"),
    N_("So someone can welcome you by name."),
    SHORT_RETENTION,
    kind=Kind.CHECKBOX,
    blank=False,
)
PREP_ANSWER = Field(
    "prep_answer",
    N_("A question to think about before the session"),
    N_("Write a few words if you like. They help us plan the discussion."),
    RETENTION,
    seen_by=N_("Seen by coordinators, and the group if you choose."),
    kind=Kind.LONG_TEXT,
    limit=500,
    is_about_session=True,
)
PREP_VISIBILITY = Field(
    "prep_visibility",
    N_("Who can see your answer?"),
    N_("You choose for each answer."),
    RETENTION,
    kind=Kind.ONE_OF,
    blank="hosts",
    choices=(
        Choice("hosts", N_("Only coordinators")),
        Choice("group", N_("The group, without my name")),
        Choice("named", N_("The group, with my name")),
    ),
    export=Export.NEVER,
    is_about_session=True,
    asked_with="prep_answer",
)
LIST_OPT_IN = Field(
    "list_opt_in",
    N_("Email me about future sessions"),
    N_("New dates and topics. We'll email you first to confirm that you want this."),
    None,
    kind=Kind.CHECKBOX,
    stored=("list_requested_at", "list_confirmed_at"),
    blank=None,
    export=Export.NEVER,
)

QUESTIONS = (
    SESSIONS,
    NAME,
    EMAIL,
    ACCESS,
    ORGANIZATION,
    PRONOUNS,
    HATS,
    LIVED_EXPERIENCE,
    TAKING_PART,
    FIRST_TIME,
    PREP_ANSWER,
    PREP_VISIBILITY,
    LIST_OPT_IN,
)

RECORDED = (
    Field(
        "registered",
        N_("Your registration"),
        N_(
            "Whether you're registered or on the waiting list, since when, and your language. "
            "This keeps the waiting list fair. We also note what we emailed you about the "
            "session, so we only email you again if something changes."
        ),
        RETENTION,
        stored=("status", "registered_at", "language", "promoted_at", "cancelled_at", "announced"),
    ),
    Field(
        "attended",
        N_("Whether you attended"),
        N_(
            "Whether you used your join link, what coordinators noted, and how many minutes Zoom "
            "counted. It helps us decide how many spots to offer. Later, only the totals are left."
        ),
        RETENTION,
        stored=("attended", "minutes_present", "joined_at"),
        blank=None,
    ),
    Field(
        "room",
        N_("Your small group"),
        N_("So you can find your group, and meet other people next time."),
        RETENTION,
        blank=None,
    ),
    Field(
        "first_came",
        N_("The first day you attended"),
        N_(
            "So we know how many people are new and how many come back. Later, only the totals are "
            "left."
        ),
        RETENTION,
        stored=("first_attended_on",),
        blank=None,
    ),
    Field(
        "correspondence",
        N_("How we email you"),
        N_(
            "Which emails you turned off, whether any came back to us, when you last used a link "
            "in one, and which of your links still work. If you're on the mailing list, we keep "
            "this until you leave it."
        ),
        RETENTION,
        stored=("verified_at", "undeliverable_at", "opt_outs", "token_version", "calendar_version"),
        blank=None,
    ),
)

NEVER_COLLECTED = N_(
    "We don't ask for your phone number, job title, gender, age, race, ZIP code or how you heard "
    "about us. We don't need them, and we can't lose what we don't collect."
)

FIELDS = (*QUESTIONS, *RECORDED)


def is_about_member(field: Field) -> bool:
    """Whether a field is stored once per member, not with each registration."""
    # This is also true of SESSIONS, which has no columns.
    return all(hasattr(Member, column) for column in field.columns)


# The questions whose answers are stored with a registration.
ANSWERS = tuple(question for question in QUESTIONS if not is_about_member(question))
OPTIONAL_ANSWERS = tuple(question for question in ANSWERS if not question.required)
# The values of their columns if nothing is answered.
BLANKS = {column: blank for question in ANSWERS for column, blank in question.blanks.items()}
SESSION_QUESTIONS = frozenset(question.name for question in ANSWERS if question.is_about_session)


def enabled_questions(disabled: Iterable[str]) -> tuple[Field, ...]:
    """Return the questions of the form, without disabled ones.

    A question is also left out if the one that it is asked with is disabled.
    """
    names = set(disabled)
    return tuple(q for q in QUESTIONS if q.required or names.isdisjoint({q.name, q.asked_with}))
