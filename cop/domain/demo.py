"""The world of `cop seed --demo`: sessions as the community published them, and invented people."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Past:
    """A past session, of which only the counts are left."""

    on: date
    topic: str
    summary: str
    registered: int
    came: int
    guests: str | None = None


@dataclass(frozen=True)
class Told:
    """What is said about a session; the names are those of the meeting's columns."""

    topic: str
    summary: str
    guests: str | None
    reading_title: str | None
    reading_url: str | None
    reading_minutes: int | None
    prep_question: str | None
    capacity: int | None


PAST = (
    Past(
        date(2020, 6, 10),
        "What do equity and ethics ask of data work in a pandemic?",
        "The first meeting, an informal lunch.",
        9,
        7,
    ),
    Past(
        date(2021, 1, 20),
        "How do we collect data to help, and not to harm?",
        "A lunch discussion of the same series.",
        31,
        22,
    ),
    Past(
        date(2021, 6, 15),
        "What works, and what does not, in collecting and using demographic data?",
        "Successes and challenges, from members and from a funder's point of view.",
        46,
        29,
        "The evaluation and learning team of a family philanthropy",
    ),
    Past(
        date(2021, 9, 21),
        "What changes with Connecticut's new standard for race, ethnicity and language data?",
        "A new statute tells state agencies how to collect these data in one way.",
        52,
        34,
    ),
    Past(
        date(2021, 11, 16),
        "How do charts and maps do no harm?",
        "Equity awareness in data visualization. A video, the highlights and the links that "
        "members shared were published afterwards.",
        74,
        48,
        "Jonathan Schwabish and Alice Feng, authors of the Do No Harm guide",
    ),
    Past(
        date(2022, 6, 21),
        "How did equitable practice go in our own organizations?",
        "Four members told how it went. Themes: giving data back, collecting with a purpose, and "
        "breaking data down.",
        66,
        40,
    ),
    Past(
        date(2022, 10, 18),
        "How does where matter?",
        "Geography and equity.",
        38,
        23,
    ),
)

RECENT = Told(
    topic="Who decides what a good outcome is?",
    summary="We read two evaluation reports about the same program, one written with the families "
    "in it and one without, and compared what each of them counted.",
    guests=None,
    reading_title="Two one-page summaries",
    reading_url=None,
    reading_minutes=15,
    prep_question=None,
    capacity=None,
)

UPCOMING = (
    Told(
        topic="Who disappears when we disaggregate?",
        summary="Members show how they broke their data down, whom it made visible, and whom it "
        "hid. Small groups after half an hour.",
        guests="Two members who did it last year",
        reading_title="One chapter on small groups in large tables",
        reading_url="https://example.org/small-groups",
        reading_minutes=20,
        prep_question="Which group in your own data can nobody see, and who decided that?",
        capacity=32,
    ),
    Told(
        topic="How do we ask people what their data means to them?",
        summary="A conversation about taking findings back to those they are about, before they "
        "are published, and about what happens when they disagree.",
        guests="An evaluator from a family foundation",
        reading_title="A short guide to data walks",
        reading_url="https://example.org/data-walks",
        reading_minutes=25,
        prep_question="When did somebody last tell you that your numbers were wrong about them?",
        capacity=12,
    ),
)

PEOPLE = (
    ("Ada Example", "Harbor Data Lab"),
    ("Grace Sample", "Town of Example"),
    ("Katherine Placeholder", ""),
    ("Dorothy Invented", "Shoreline Health Collective"),
    ("Marisol Ejemplo", "Casa de la Comunidad"),
    ("Imani Sketch", "Northside Youth Alliance"),
    ("Wei Draft", "Riverbend School District"),
    ("Thandiwe Figment", "Fair Housing Project"),
    ("Luis Borrador", "Valley Food Bank"),
    ("Noor Outline", "Office of Early Childhood"),
    ("Priya Mockup", "Meridian Evaluation"),
    ("Jamal Instance", "City of Exampleton"),
    ("Ana Modelo", "Migrant Legal Aid"),
    ("Siobhan Pretend", "Public Library Network"),
    ("Kofi Notional", "Harbor Data Lab"),
    ("Yuki Specimen", "Transit for All"),
    ("Deborah Madeup", ""),
    ("Andre Fictive", "Justice Data Project"),
    ("Leila Prototype", "Women's Business Center"),
    ("Marcus Template", "Community Health Network"),
    ("Rosa Muestra", "Parents United"),
    ("Hannah Trial", "State Department of Examples"),
    ("Tomasz Pattern", "Housing Authority"),
    ("Aisha Dummy", "Refugee Welcome"),
    ("Beatriz Exemplo", "Portuguese Cultural Center"),
    ("Samuel Stand-In", "Example University"),
    ("Fatima Hypothetical", "Example University"),
    ("Joao Ensaio", ""),
    ("Elena Proxy", "Arts Access"),
    ("Terrence Scenario", "Workforce Board"),
    ("Mei Fabricated", "Asian American Coalition"),
    ("Olu Imagined", "Green Neighborhoods"),
    ("Clara Conjured", "Senior Services"),
    ("David Supposed", "Legal Clinic"),
)

PREP_ANSWERS = (
    "People who moved during the year: we count them twice or not at all.",
    "Anyone who skipped the question. We call them missing, as if they had gone.",
    "Small towns. The state table adds them up with the city next door.",
)

ACCESS: tuple[dict[str, object], ...] = (
    {"access": ["cart"]},
    {"access": ["interpretation", "slides"], "access_language": "Spanish"},
    {"access": ["main-room"], "access_other": "A short break after 45 minutes"},
)
