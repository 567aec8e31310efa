"""The outbox as coordinators see it: counts, emails, and the last error."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session, defer

from cop.models.email import MailState, OutboxEmail
from cop.models.meeting import Meeting
from cop.outbox.outbox import HAS_RECIPIENT
from cop.outbox.retries import BACKOFF

PAGE_SIZE = 100
PENDING_STATES = (MailState.QUEUED, MailState.SENDING, MailState.RETRYING)
_HAS_TEXT = OutboxEmail.text != ""
# Replies about one email (RFC 5321); after all other replies, no email can be sent.
_ABOUT_ONE_EMAIL = re.compile(r"4(?!21)\d\d |It could not be composed")
# Links with a token: whoever has the token can act as the recipient.
_TOKEN = re.compile(
    r"(/(?:r|join|calendar|unsubscribe|list|coordinator/(?:password|invitation))/)[\w.=~-]+"
)


@dataclass(frozen=True)
class OutboxStatus:
    """Counts of the outbox, and the error if no email can be sent."""

    counts: dict[str, int]  # by state; the failed ones also include those too old for a retry
    failed: int  # those that can be retried
    resent: int  # those sent again after an unknown outcome, so possibly twice
    last_error: str  # the last reply, if no email was sent since
    by_meeting: dict[tuple[int, str, str], int]  # counts by meeting, kind and state

    @property
    def pending(self) -> int:
        return sum(self.counts[state] for state in PENDING_STATES)


def read_status(db_session: Session) -> OutboxStatus:
    """Count the emails by state, and find the error if none can be sent."""
    is_retrying = OutboxEmail.state == MailState.RETRYING
    query = select(
        OutboxEmail.state,
        OutboxEmail.kind,
        OutboxEmail.meeting_id,
        case((is_retrying, OutboxEmail.attempts), else_=0).label("attempts"),
        case((is_retrying, OutboxEmail.server_reply), else_="").label("reply"),
        func.count().label("emails"),
        func.count().filter(_HAS_TEXT).label("with_text"),
        func.count().filter(OutboxEmail.unknown_outcomes > 0).label("unknown"),
        func.max(OutboxEmail.due_at).label("due_at"),
        func.max(OutboxEmail.done_at).label("done_at"),
    )
    query = query.where(HAS_RECIPIENT).group_by(
        OutboxEmail.state, OutboxEmail.kind, OutboxEmail.meeting_id, "attempts", "reply"
    )
    rows = db_session.execute(query).all()
    counts, by_meeting = Counter[str](), Counter[tuple[int, str, str]]()
    for row in rows:
        counts[row.state] += row.emails
        by_meeting[row.meeting_id, row.kind, row.state] += row.emails
    return OutboxStatus(
        counts,
        failed=sum(row.with_text for row in rows if row.state == MailState.FAILED),
        resent=sum(row.unknown for row in rows if row.state == MailState.SENT),
        last_error=_last_error(rows),
        by_meeting=by_meeting,
    )


def _last_error(rows: Sequence[Row[Any]]) -> str:
    """Return the last reply that stops all emails, unless one was sent since."""
    errors = [  # the time of each attempt, which was the backoff before the next one, and its reply
        (row.due_at - BACKOFF[min(row.attempts, len(BACKOFF)) - 1], row.reply)
        for row in rows
        if row.state == MailState.RETRYING and not _ABOUT_ONE_EMAIL.match(row.reply)
    ]
    sent_times = [row.done_at for row in rows if row.state == MailState.SENT and row.done_at]
    tried_at, reply = max(errors, default=(None, ""))
    return "" if tried_at and sent_times and max(sent_times) > tried_at else reply


def oldest_pending_at(db_session: Session) -> datetime | None:
    """Return when the oldest unsent email was queued; None if all are sent."""
    is_pending = OutboxEmail.state.in_(PENDING_STATES)
    return db_session.scalar(select(func.min(OutboxEmail.created_at)).where(is_pending))


def list_emails(
    db_session: Session, *, state: str | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """List the last emails, newest first.

    A row has the email, whether it has a text, and the slug and start of its meeting.
    """
    query = (
        select(OutboxEmail, _HAS_TEXT, Meeting.slug, Meeting.starts_at)
        .options(defer(OutboxEmail.text), defer(OutboxEmail.html))
        .outerjoin(Meeting, Meeting.id == OutboxEmail.meeting_id)
        .where(HAS_RECIPIENT)
        .order_by(OutboxEmail.id.desc())
        .limit(PAGE_SIZE)
    )
    query = query if state is None else query.where(OutboxEmail.state == state)
    return db_session.execute(query).all()


def failed(db_session: Session) -> list[int]:
    """List the failed emails that can be retried: their text is still stored."""
    is_failed = OutboxEmail.state == MailState.FAILED
    return list(db_session.scalars(select(OutboxEmail.id).where(is_failed, _HAS_TEXT)))


def redact_tokens(text: str) -> str:
    """Replace the tokens in the links of an email by an ellipsis."""
    return _TOKEN.sub(r"\1…", text)
