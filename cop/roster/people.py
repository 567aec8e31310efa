"""One person on a roster, as coordinators see them: what they said, and what was done."""

from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop import email_addresses
from cop.changes.changes import RESTORABLE_FOR
from cop.errors import Refused
from cop.i18n import N_
from cop.mail.recipients import LIVE_STATUSES
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.meetings.schedule import Listing
from cop.members.members import WAITING_POSITION, MemberRegistration
from cop.models.audit import AuditEntry
from cop.models.coordinator import Coordinator
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.registration import register
from cop.registration.answers import Answers
from cop.roster.places import HAS_LIVE_REGISTRATION


def add_person(
    db_session: Session, meeting: Listing, answers: Answers, *, by_mail: bool, writer: LetterWriter
) -> tuple[int, RegistrationStatus, bool]:
    """Register somebody by the same rules as the form.

    Return the registration, what it is, and whether a mail goes out about it.
    """
    locking.lock(db_session, [meeting.id])
    place = (
        select(Registration.id, Registration.status, Member.undeliverable_at)
        .join(Member, Member.id == Registration.member_id)
        .where(
            Registration.meeting_id == meeting.id,
            Registration.status.in_(LIVE_STATUSES),
            Member.email_key == email_addresses.normalize(answers.email),
        )
    )
    if db_session.execute(place).first():
        raise Refused(
            N_("This address is on the roster already. Look for it there."), field="email"
        )
    register.register(
        db_session,
        [meeting.slug],
        answers,
        submission=token_hex(32),
        writer=writer,
        send_confirmation=by_mail,
    )
    id_, status, undeliverable_at = db_session.execute(place).one()
    return id_, RegistrationStatus(status), by_mail and undeliverable_at is None


class PersonAction(NamedTuple):
    """What a coordinator did for them; the name of one who left is gone."""

    action: str
    by: str | None
    done_at: datetime


@dataclass(frozen=True)
class PersonDetails:
    """Somebody on a roster."""

    place: MemberRegistration
    email: str
    verified_at: datetime | None
    undeliverable_at: datetime | None
    is_live_again: bool
    done: tuple[PersonAction, ...]

    @property
    def restorable_until(self) -> datetime | None:
        """How long it can be restored, if it was cancelled."""
        cancelled_at = self.place.row.cancelled_at
        if self.place.is_live or self.is_live_again or cancelled_at is None:
            return None
        return cancelled_at + RESTORABLE_FOR


def find_person(
    db_session: Session, registration_id: int, meeting: Listing
) -> PersonDetails | None:
    """Read one person on the roster of a meeting, with what was done for them."""
    query = (
        select(
            Registration,
            Member,
            WAITING_POSITION,
            HAS_LIVE_REGISTRATION,
            AuditEntry,
            Coordinator.name,
        )
        .join(Member, Member.id == Registration.member_id)
        .outerjoin(AuditEntry, AuditEntry.registration_id == Registration.id)
        .outerjoin(Coordinator, Coordinator.id == AuditEntry.coordinator_id)
        .where(Registration.id == registration_id, Registration.meeting_id == meeting.id)
    )
    rows = db_session.execute(query.order_by(AuditEntry.id)).all()
    if not rows:
        return None
    row, member, turn, is_live_again, _, _ = rows[0]
    done = tuple(PersonAction(act.action, by, act.done_at) for *_, act, by in rows if act)
    place = MemberRegistration(row, meeting, turn)
    of_member = (member.email, member.verified_at, member.undeliverable_at)
    return PersonDetails(place, *of_member, is_live_again, done)
