"""The outbox as coordinators see it: what goes out, how it stands, and what one mail says."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from cop.models.email import MailState, OutboxEmail
from cop.models.meeting import Meeting
from cop.outbox.leases import BACKOFF
from cop.outbox.outbox import HAS_RECIPIENT

PAGE_SIZE = 100
PENDING_STATES = (MailState.QUEUED, MailState.SENDING, MailState.RETRYING)
# What a server says of one mail, by RFC 5321; everything else holds up all the others, too.
_OF_ONE_MAIL = re.compile(r"4(?!21)\d\d |It could not be put together")
# What makes a link of ours its owner's; whoever else has it could act in their name.
_TOKEN = re.compile(
    r"(/(?:r|join|calendar|unsubscribe|list|coordinator/(?:password|invitation))/)[\w.=~-]+"
)


@dataclass(frozen=True)
class OutboxStatus:
    """How the outbox stands."""

    counts: dict[str, int]  # by state, also those that nobody can try again any more
    failed: int  # that can be tried again
    resent: int
    last_error: str  # what came back when mail last went nowhere, as long as none got out since
    by_meeting: dict[tuple[int, str, str], int]  # by meeting, kind and state

    @property
    def pending(self) -> int:
        return sum(self.counts[state] for state in PENDING_STATES)


def read_status(db_session: Session) -> OutboxStatus:
    """Count the mails by state, and find out whether they get out at all."""
    is_retrying = OutboxEmail.state == MailState.RETRYING
    query = select(
        OutboxEmail.state,
        OutboxEmail.kind,
        OutboxEmail.meeting_id,
        case((is_retrying, OutboxEmail.attempts), else_=0).label("tries"),
        case((is_retrying, OutboxEmail.server_reply), else_="").label("answered"),
        func.count().label("mails"),
        func.count().filter(OutboxEmail.text != "").label("with_text"),
        func.count().filter(OutboxEmail.unknown_outcomes > 0).label("in_doubt"),
        func.max(OutboxEmail.due_at).label("due_at"),
        func.max(OutboxEmail.done_at).label("done_at"),
    )
    query = query.where(HAS_RECIPIENT).group_by(
        OutboxEmail.state, OutboxEmail.kind, OutboxEmail.meeting_id, "tries", "answered"
    )
    rows = db_session.execute(query).all()
    counts, with_text, in_doubt = Counter[str](), Counter[str](), Counter[str]()
    about = Counter[tuple[int, str, str]]()
    for row in rows:
        about[row.meeting_id, row.kind, row.state] += row.mails
        counts[row.state] += row.mails
        with_text[row.state] += row.with_text
        in_doubt[row.state] += row.in_doubt
    sent_at = [row.done_at for row in rows if row.state == MailState.SENT]
    tries = [
        (row.due_at - BACKOFF[min(row.tries, len(BACKOFF)) - 1], row.answered)
        for row in rows
        if row.state == MailState.RETRYING
    ]
    return OutboxStatus(
        counts=counts,
        failed=with_text[MailState.FAILED],
        resent=in_doubt[MailState.SENT],
        last_error=_last_error(tries, max(sent_at, default=None)),
        by_meeting=about,
    )


def _last_error(tries: list[tuple[datetime, str]], sent_at: datetime | None) -> str:
    """The last answer that held up everything, unless a mail has been taken after it."""
    faults = [(at, said) for at, said in tries if not _OF_ONE_MAIL.match(said)]
    if not faults:
        return ""
    tried_at, answer = max(faults)
    return "" if sent_at and sent_at > tried_at else answer


@dataclass(frozen=True)
class EmailRow:
    """A mail in the list of mails."""

    id: int
    kind: str
    state: str
    to_address: str
    attempts: int
    unknown_outcomes: int
    server_reply: str
    created_at: datetime
    due_at: datetime
    done_at: datetime | None
    has_text: bool
    slug: str | None
    starts_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it may still go out by itself."""
        return self.state in PENDING_STATES

    @property
    def can_retry(self) -> bool:
        """Whether it failed, and can be given another chance."""
        return self.state == MailState.FAILED and self.has_text

    @property
    def was_resent(self) -> bool:
        return self.state == MailState.SENT and self.unknown_outcomes > 0


_OF_OUTBOX = [
    getattr(OutboxEmail, name)
    for name in EmailRow.__dataclass_fields__
    if name not in {"has_text", "slug", "starts_at"}
]


def list_emails(db_session: Session, *, state: str | None = None) -> list[EmailRow]:
    """The mails that were queued last, all or those in one state; the newest first."""
    has_text = (OutboxEmail.text != "").label("has_text")
    query = (
        select(*_OF_OUTBOX, has_text, Meeting.slug, Meeting.starts_at)
        .outerjoin(Meeting, Meeting.id == OutboxEmail.meeting_id)
        .where(HAS_RECIPIENT)
        .order_by(OutboxEmail.id.desc())
        .limit(PAGE_SIZE)
    )
    query = query if state is None else query.where(OutboxEmail.state == state)
    return [EmailRow(**row._mapping) for row in db_session.execute(query)]


def failed(db_session: Session) -> list[int]:
    """The mails that failed and can be tried again: of the others only the row is left."""
    is_whole = (OutboxEmail.state == MailState.FAILED) & (OutboxEmail.text != "")
    return list(db_session.scalars(select(OutboxEmail.id).where(is_whole)))


def find(db_session: Session, mail_id: int) -> OutboxEmail | None:
    """One mail, as it goes out."""
    return db_session.get(OutboxEmail, mail_id)


def redact_tokens(text: str) -> str:
    """What a mail says, with the links that are its recipient's own cut short."""
    return _TOKEN.sub(r"\1…", text)
