"""Adding somebody by hand, who has asked a coordinator in person, on the phone, or by mail."""

from secrets import token_hex

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.domain import addresses, meetings, registration
from cop.domain.details import Details
from cop.domain.recipients import LIVE
from cop.domain.schedule import Listing
from cop.errors import Refused
from cop.mail.writer import Writer
from cop.models import Member, Registration, RegistrationStatus
from cop.words import N_


def add(
    db_session: Session, meeting: Listing, details: Details, *, by_mail: bool, writer: Writer
) -> tuple[int, RegistrationStatus, bool]:
    """Register somebody by the same rules as the form.

    Return the registration, what it is, and whether a mail goes out about it.
    """
    meetings.lock(db_session, [meeting.id])
    place = (
        select(Registration.id, Registration.status, Member.undeliverable_at)
        .join(Member, Member.id == Registration.member_id)
        .where(
            Registration.meeting_id == meeting.id,
            Registration.status.in_(LIVE),
            Member.email_key == addresses.key(details.email),
        )
    )
    if db_session.execute(place).first():
        raise Refused(
            N_("This address is on the roster already. Look for it there."), field="email"
        )
    registration.register(
        db_session,
        [meeting.slug],
        details,
        submission=token_hex(32),
        writer=writer,
        is_told_by_us=by_mail,
    )
    id_, status, undeliverable_at = db_session.execute(place).one()
    return id_, RegistrationStatus(status), by_mail and undeliverable_at is None
