"""The registry of questions: why each is asked, who sees the answer, and when it is deleted.

The form, the "your data" page, the attendee CSV, erasure and retention are made from it, so that
they cannot disagree. Another question is an entry here, a column of `Registration` that is named
like it, and a migration.
"""

from collections.abc import Iterable

from cop import email_addresses
from cop.i18n import N_
from cop.models.registration import Member
from cop.questions.field import Choice, Export, Field, Kind
from cop.questions.retention import RETENTION, SHORT_RETENTION

HOSTS = N_("the hosts of the session")
COORDINATORS = N_("the coordinators")


def _text(name: str, label: str, export_prefix: str = "") -> Field:
    """A text input below the choices of another question."""
    return Field(name, label, "", "", None, export_prefix=export_prefix)


SESSIONS = Field(
    "sessions",
    N_("Sessions"),
    N_("Tick one, several or all. What you tick is where the hosts expect you."),
    COORDINATORS,
    RETENTION,
    kind=Kind.SESSIONS,
    missing=N_("Tick at least one session."),
    stored=(),
)
NAME = Field(
    "name",
    N_("Full name"),
    N_("What to call you in the session and on the hosts' list. Any characters are fine."),
    COORDINATORS,
    RETENTION,
    missing=N_("Write the name that we should call you by."),
    limit=200,
    autocomplete="name",
)
EMAIL = Field(
    "email",
    N_("Email"),
    N_("To send you the way in, reminders, any change, and the notes afterwards; nothing else."),
    COORDINATORS,
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
    N_("Helps us mix the small groups. Leave it empty if you come as yourself."),
    COORDINATORS,
    RETENTION,
    limit=200,
    autocomplete="organization",
)
PRONOUNS = Field(
    "pronouns",
    N_("Pronouns"),
    N_("So that the hosts refer to you rightly."),
    HOSTS,
    SHORT_RETENTION,
    limit=60,
)
HATS = Field(
    "hats",
    N_("Hats you wear with data"),
    N_("Helps us plan the small groups. Tick any."),
    HOSTS,
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
        Choice("lived-experience", N_("Lived experience of being in the data")),
    ),
    other_texts=(_text("hats_other", N_("Another hat, in your own words")),),
)
ACCESS = Field(
    "access",
    N_("What would help you take part?"),
    N_("Automatic captions are always on. You never need to say why."),
    N_("the coordinators only, and never in the usual attendee list"),
    SHORT_RETENTION,
    kind=Kind.SEVERAL,
    blank=[],
    choices=(
        Choice("asl", N_("American Sign Language (ASL) interpreter")),
        Choice("cart", N_("Live captions by a person (CART)")),
        Choice("interpretation", N_("Interpretation into another language")),
        Choice("slides", N_("Slides ahead of the session")),
        Choice("phone", N_("Joining by phone")),
        Choice("main-room", N_("Staying in the main room when we form small groups")),
    ),
    other_texts=(
        _text("access_language", N_("Which language should we interpret into?"), "language: "),
        _text("access_other", N_("Something else, in your own words")),
    ),
    export=Export.ON_REQUEST,
)
TAKING_PART = Field(
    "taking_part",
    N_("How you like to take part"),
    N_("All ways count. It tells the hosts what to expect, and holds you to nothing."),
    HOSTS,
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
    N_("So that somebody can welcome you by name."),
    HOSTS,
    SHORT_RETENTION,
    kind=Kind.CHECKBOX,
    blank=False,
)
PREP_ANSWER = Field(
    "prep_answer",
    N_("A question to think about before the session"),
    N_("Think about it, or write a few words: they help the hosts begin where you are."),
    N_("whoever you choose below"),
    RETENTION,
    kind=Kind.LONG_TEXT,
    limit=500,
    is_about_session=True,
)
PREP_VISIBILITY = Field(
    "prep_visibility",
    N_("Who may see your answer?"),
    N_("You decide for each answer."),
    HOSTS,
    RETENTION,
    kind=Kind.ONE_OF,
    blank="hosts",
    choices=(
        Choice("hosts", N_("Only the hosts")),
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
    N_("To tell you about new dates and topics, once you have confirmed it from your mailbox."),
    COORDINATORS,
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
    ORGANIZATION,
    PRONOUNS,
    HATS,
    ACCESS,
    TAKING_PART,
    FIRST_TIME,
    PREP_ANSWER,
    PREP_VISIBILITY,
    LIST_OPT_IN,
)

RECORDED = (
    Field(
        "registered",
        N_("Your place"),
        N_(
            "Whether you hold a place or wait for one, when you registered, and the language of "
            "the form: without these there is no fair waiting list. Also what our mail told you of "
            "the session, so that we write again only when something has changed."
        ),
        COORDINATORS,
        RETENTION,
        stored=("status", "registered_at", "language", "promoted_at", "cancelled_at", "announced"),
    ),
    Field(
        "attended",
        N_("Whether you came"),
        N_(
            "So that we learn how many places to offer: that you used your link to the session, "
            "what the hosts noted, and for how many minutes Zoom says you were there. Afterwards "
            "only the count is left."
        ),
        COORDINATORS,
        RETENTION,
        stored=("attended", "minutes_present", "joined_at"),
        blank=None,
    ),
    Field(
        "room",
        N_("Your small group"),
        N_("So that you find your group, and meet other people next time."),
        HOSTS,
        RETENTION,
        blank=None,
    ),
    Field(
        "first_came",
        N_("The day you first came"),
        N_("So that we know how many are new and how many come back. Only the counts are left."),
        COORDINATORS,
        RETENTION,
        stored=("first_attended_on",),
        blank=None,
    ),
    Field(
        "correspondence",
        N_("How we write to you"),
        N_(
            "Which mails you have switched off, whether mail to you came back, whether you have "
            "answered one, and which of your links still work. Kept as long as you are on the "
            "mailing list, if you are."
        ),
        COORDINATORS,
        RETENTION,
        stored=("verified_at", "undeliverable_at", "opt_outs", "token_version", "calendar_version"),
        blank=None,
    ),
)

NEVER_COLLECTED = N_(
    "We do not ask for your phone number, job title, gender, age, race, ZIP code or how you heard "
    "of us: nothing here needs them, and what is not collected cannot leak."
)

FIELDS = (*QUESTIONS, *RECORDED)


def is_about_member(field: Field) -> bool:
    """Whether a field is stored once per person, not with each registration."""
    return all(hasattr(Member, column) for column in field.columns)


# The questions whose answers are stored with a registration, and what their columns hold at first.
ANSWERS = tuple(question for question in QUESTIONS if not is_about_member(question))
OPTIONAL_ANSWERS = tuple(question for question in ANSWERS if not question.required)
BLANKS = {column: blank for question in ANSWERS for column, blank in question.blanks.items()}
SESSION_QUESTIONS = frozenset(question.name for question in ANSWERS if question.is_about_session)


def enabled_questions(disabled: Iterable[str]) -> tuple[Field, ...]:
    """The questions of the form, without those that a coordinator has disabled."""
    off = set(disabled)
    return tuple(q for q in QUESTIONS if q.required or off.isdisjoint({q.name, q.asked_with}))
