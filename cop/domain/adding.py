"""Adding sessions to those that a member has chosen, with what they said about themselves last."""

from collections.abc import Iterable
from secrets import token_hex

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop import fields
from cop.domain import registration
from cop.domain.details import Details
from cop.domain.members import Place
from cop.domain.recipients import LIVE, Recipient
from cop.mail.writer import Writer
from cop.models import Meeting, Registration


def add(
    db_session: Session, to: Recipient, slugs: Iterable[str], *, latest: Place, writer: Writer
) -> None:
    """Register a member for more meetings; where they hold a place or wait, nothing changes.

    The caller holds the member's row: of two clicks, the second finds nothing left to add.
    """
    new = sorted(set(slugs) - _chosen(db_session, to.member_id))
    if new:
        details = _details(to, latest, disabled_questions=writer.community.disabled_questions)
        registration.register(db_session, new, details, submission=token_hex(32), writer=writer)


def _chosen(db_session: Session, member_id: int) -> set[str]:
    query = select(Meeting.slug).join(Registration, Registration.meeting_id == Meeting.id)
    is_theirs = (Registration.member_id == member_id, Registration.status.in_(LIVE))
    return set(db_session.scalars(query.where(*is_theirs)))


def _details(to: Recipient, latest: Place, *, disabled_questions: Iterable[str]) -> Details:
    """What they said last, without the answer to a meeting's own question."""
    asked = {column for field in fields.asked(disabled_questions) for column in field.columns}
    left_out = {"email", *fields.PREP_ANSWER.columns, *fields.PREP_VISIBILITY.columns}
    names = Details.__dataclass_fields__.keys() & asked - left_out
    said = {name: latest.values[name] for name in names}
    return Details(**said, email=to.email, language=to.language)  # type: ignore[arg-type]
