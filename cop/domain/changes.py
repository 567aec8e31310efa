"""What coordinators change about a meeting. Who is registered is told by mail, shortly after.

Each of these takes the meeting's lock first, so that edits and registrations come one by one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from cop.domain import meetings, outbox, recipients, waiting
from cop.domain.meetings import LockedMeeting
from cop.domain.outbox import Kind, Mail
from cop.domain.recipients import Registered
from cop.errors import EditConflict, Refused
from cop.links import is_https
from cop.mail import changing
from cop.mail.writer import Writer
from cop.models import Meeting, MeetingStatus, OutboxEmail, RegistrationStatus
from cop.words import N_

DESCRIBED = ("topic", "guests", "summary", "reading_title", "reading_url", "reading_minutes",
             "prep_question", "reason")  # fmt: skip
RESTORABLE = timedelta(days=30)


def expect(db_session: Session, meeting_id: int, *, version: int) -> None:
    """Take a meeting's lock, for changes that were made with this version before one's eyes.

    Raises:
        EditConflict: a coordinator has changed it since.
    """
    [meeting] = meetings.lock(db_session, [meeting_id])
    if meeting.edit_version != version:
        raise EditConflict


def move(
    db_session: Session,
    meeting_id: int,
    *,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    writer: Writer,
) -> None:
    """Hold a meeting at another time; its slug stays, and it says where it was moved from."""
    check_times(starts_at, ends_at, now=writer.now)
    [meeting] = meetings.lock(db_session, [meeting_id])
    if (starts_at, ends_at) == (meeting.starts_at, meeting.ends_at):
        return
    if meeting.ends_at <= writer.now:
        raise Refused(
            N_("This session is over, so its date stays. Add another session instead."),
            field="date",
        )
    zone = writer.community.zone_info
    before = meeting.moved_from or meeting.starts_at.astimezone(zone).date()
    is_back = starts_at.astimezone(zone).date() == before
    outbox.take_back(db_session, OutboxEmail.meeting_id == meeting_id,
                    OutboxEmail.kind == Kind.REMINDER)  # fmt: skip
    _revise(
        db_session,
        meeting,
        writer,
        starts_at=starts_at,
        ends_at=ends_at,
        moved_from=None if is_back else before,
        reason=reason or None,
    )
    _promote(db_session, meeting_id, writer=writer)


def check_times(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    """Pass for a time at which a meeting can be held."""
    if ends_at <= starts_at:
        raise Refused(meetings.ENDS_BEFORE_START, field="ends")
    if ends_at <= now:
        raise Refused(
            N_("At that time the session would be over already. Choose a later one."), field="date"
        )


def cancel(db_session: Session, meeting_id: int, *, reason: str, writer: Writer) -> None:
    """Say that a meeting does not take place, and why; places stay, in case it does after all."""
    [meeting] = meetings.lock(db_session, [meeting_id])
    if meeting.is_cancelled:
        raise Refused(
            N_("It is cancelled already, and everybody reads: “%(said)s” Nothing was changed."),
            field="reason",
            said=meeting.reason or "",
        )
    outbox.take_back(db_session, OutboxEmail.meeting_id == meeting_id,
                    OutboxEmail.kind == Kind.REMINDER)  # fmt: skip
    _revise(db_session, meeting, writer, status=MeetingStatus.CANCELLED, reason=reason or None,
            cancelled_at=writer.now)  # fmt: skip


def restore(db_session: Session, meeting_id: int, *, writer: Writer) -> None:
    """Say that a cancelled meeting takes place after all."""
    [meeting] = meetings.lock(db_session, [meeting_id])
    check_restorable(meeting, now=writer.now)
    _revise(db_session, meeting, writer, status=MeetingStatus.PLANNED, reason=None,
            cancelled_at=None)  # fmt: skip
    _promote(db_session, meeting_id, writer=writer)


def check_restorable(meeting: LockedMeeting, *, now: datetime) -> None:
    """Pass for a meeting that was cancelled and can still be held after all."""
    if not meeting.is_cancelled:
        raise Refused(N_("It takes place: there is nothing to restore."))
    if meeting.ends_at <= now:
        raise Refused(N_("Its time is over, so it cannot be restored. Add a new session instead."))
    # Nothing is noted of what was cancelled before this was kept.
    if meeting.cancelled_at and now - meeting.cancelled_at > RESTORABLE:
        raise Refused(
            N_(
                "It was cancelled more than %(days)s days ago, so it cannot be restored. Add a new "
                "session instead."
            ),
            days=RESTORABLE.days,
        )


def set_capacity(
    db_session: Session, meeting_id: int, capacity: int | None, *, writer: Writer
) -> list[int]:
    """Offer more places or fewer; nobody loses one. Return who came off the waiting list."""
    check_capacity(capacity)
    meetings.lock(db_session, [meeting_id])
    _set(db_session, meeting_id, capacity=capacity)
    return _promote(db_session, meeting_id, writer=writer)


def check_capacity(capacity: int | None) -> None:
    """Pass for a number of places, or for no limit."""
    if capacity is not None and capacity < 1:
        raise Refused(
            N_("Offer at least one place, or leave this empty for no limit."), field="capacity"
        )


def set_join_url(
    db_session: Session, meeting_id: int, join_url: str | None, *, writer: Writer
) -> None:
    """Say where a meeting is held; only those with a place get there, through their own link."""
    if join_url and not is_https(join_url):
        raise Refused(
            N_("Write the whole address, beginning with https://, as Zoom shows it."),
            field="join_url",
        )
    [meeting] = meetings.lock(db_session, [meeting_id])
    if (join_url or None) != meeting.join_url:
        _set(db_session, meeting_id, join_url=join_url or None, edited_at=writer.now)


def describe(
    db_session: Session,
    meeting_id: int,
    texts: Mapping[str, str | int | None],
    *,
    writer: Writer,
) -> None:
    """Say what a meeting is about, by the names in `DESCRIBED`. Calendars show it; no mail does."""
    meetings.lock(db_session, [meeting_id])
    values = {name: text or None for name, text in texts.items() if name in DESCRIBED}
    _set(db_session, meeting_id, revised_at=writer.now, **values)


def publish(
    db_session: Session,
    meeting_id: int,
    *,
    takeaways: str,
    recording_url: str,
    writer: Writer,
) -> int:
    """Publish what was taken away from a meeting; the first time, who held a place gets it by mail.

    Return how many do.
    """
    if not (takeaways or recording_url):
        raise Refused(
            N_("Write what was taken away, or give the address of the recording."),
            field="takeaways",
        )
    [before] = meetings.lock(db_session, [meeting_id])
    published_at = before.published_at or writer.now
    _set(db_session, meeting_id, takeaways=takeaways or None, recording_url=recording_url or None,
         published_at=published_at)  # fmt: skip
    if before.published_at:
        return 0
    [meeting] = meetings.look(db_session, [meeting_id])
    mails = [
        Mail(
            changing.takeaways(writer, person.recipient, meeting),
            person.recipient,
            Kind.TAKEAWAYS,
            f"takeaways:{person.registration_id}",
            registration_id=person.registration_id,
            meeting_id=meeting_id,
        )
        for person in wanting_takeaways(db_session, meeting_id)
    ]
    outbox.queue(db_session, mails, now=writer.now)
    return len(mails)


def wanting_takeaways(db_session: Session, meeting_id: int) -> list[Registered]:
    """Who gets the takeaways: held a place, is known to own the address, and has not said no."""
    held = recipients.of_meeting(db_session, meeting_id, [RegistrationStatus.HELD])
    return [
        person
        for person in held
        if person.recipient.is_proven
        and person.recipient.is_reached
        and "takeaways" not in person.recipient.opt_outs
    ]


def _revise(db_session: Session, meeting: LockedMeeting, writer: Writer, **values: object) -> None:
    """Change what calendars show and who is registered must know."""
    now = writer.now
    # RFC 5545, 3.8.7.4: a calendar takes a revision for newer by its sequence number.
    _set(db_session, meeting.id, sequence=meeting.sequence + 1, revised_at=now, edited_at=now,
         **values)  # fmt: skip


def _set(db_session: Session, meeting_id: int, **values: object) -> None:
    edited = {"edit_version": Meeting.edit_version + 1} | values
    row = update(Meeting).where(Meeting.id == meeting_id).values(**edited)
    db_session.execute(row.execution_options(synchronize_session=False))


def _promote(db_session: Session, meeting_id: int, *, writer: Writer) -> list[int]:
    [meeting] = meetings.look(db_session, [meeting_id])
    return waiting.promote(db_session, meeting, writer=writer)
