"""Changes to a planned meeting: edit, cancel, restore, publish takeaways.

Each function takes a meeting whose lock the caller holds, which serializes edits and
registrations. People who are registered are notified by email a few minutes later (see `notices`).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from cop.changes import emails
from cop.errors import Refused
from cop.i18n import N_
from cop.mail import recipients
from cop.mail.recipients import Registered
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.meetings.locking import MeetingFacts
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind
from cop.registration import waiting_list

TEXT_COLUMNS = (
    "topic",
    "guests",
    "summary",
    "reading_title",
    "reading_url",
    "reading_minutes",
    "prep_question",
    "reason",
)
RESTORABLE_FOR = timedelta(days=30)


def edit(
    db_session: Session, meeting: MeetingFacts, values: Mapping[str, Any], *, writer: LetterWriter
) -> list[int]:
    """Write new values, by column; return the ids of promoted registrations.

    `values` may hold `TEXT_COLUMNS`, `capacity`, `join_url`, and `starts_at` with `ends_at`. A new
    time keeps the slug, and stores the original date for calendars and the schedule.
    """
    new: dict[str, Any] = {name: values[name] or None for name in TEXT_COLUMNS if name in values}
    if new:
        new["revised_at"] = writer.now
    if "starts_at" in values:
        new |= _new_times(meeting, values["starts_at"], values["ends_at"], writer)
    if "join_url" in values and (values["join_url"] or None) != meeting.join_url:
        new |= {"join_url": values["join_url"] or None, "edited_at": writer.now}
    if "capacity" in values:
        new["capacity"] = _valid_capacity(values["capacity"])
    if not new:
        return []
    updated = _update(db_session, meeting, new)
    if "starts_at" in new:
        _withdraw_reminders(db_session, meeting)
    if not {"starts_at", "capacity"} & new.keys():
        return []
    return waiting_list.promote(db_session, updated, writer=writer)


def cancel(
    db_session: Session, meeting: MeetingFacts, *, reason: str, writer: LetterWriter
) -> None:
    """Cancel a meeting; registrations keep their status, in case it is restored."""
    if meeting.is_cancelled:
        raise Refused(
            N_(
                "This session is already canceled, so nothing was changed. Everyone sees this "
                "reason: “%(reason)s”"
            ),
            field="reason",
            reason=meeting.reason or "",
        )
    _withdraw_reminders(db_session, meeting)
    new = {"status": MeetingStatus.CANCELLED, "reason": reason or None, "cancelled_at": writer.now}
    _update(db_session, meeting, new | _revision_columns(meeting, now=writer.now))


def restore(db_session: Session, meeting: MeetingFacts, *, writer: LetterWriter) -> list[int]:
    """Restore a canceled meeting; return the ids of promoted registrations."""
    if not meeting.is_cancelled:
        raise Refused(N_("This session isn't canceled, so there's nothing to undo."))
    if meeting.ends_at <= writer.now:
        raise Refused(N_("This session's time has passed. Add a new session instead."))
    # Meetings canceled by an early release have no `cancelled_at`: they can always be restored.
    if meeting.cancelled_at and writer.now - meeting.cancelled_at > RESTORABLE_FOR:
        raise Refused(
            N_(
                "This session was canceled more than %(days)s days ago, so you can't undo it. Add "
                "a new session instead."
            ),
            days=RESTORABLE_FOR.days,
        )
    new = {"status": MeetingStatus.PLANNED, "reason": None, "cancelled_at": None}
    restored = _update(db_session, meeting, new | _revision_columns(meeting, now=writer.now))
    return waiting_list.promote(db_session, restored, writer=writer)


def publish_takeaways(
    db_session: Session,
    meeting: MeetingFacts,
    *,
    takeaways: str,
    recording_url: str,
    writer: LetterWriter,
) -> int:
    """Publish takeaways; only the first time, email them. Return how many emails."""
    if not (takeaways or recording_url):
        raise Refused(N_("Enter the takeaways or a link to the recording."), field="takeaways")
    new = {
        "takeaways": takeaways or None,
        "recording_url": recording_url or None,
        "published_at": meeting.published_at or writer.now,
    }
    published = _update(db_session, meeting, new)
    if meeting.published_at:
        return 0
    queued = [
        outbox.to_registered(
            emails.takeaways(writer, person.recipient, published),
            person,
            EmailKind.TAKEAWAYS,
            f"takeaways:{person.registration_id}",
        )
        for person in takeaways_recipients(db_session, meeting.id)
    ]
    outbox.queue(db_session, queued, now=writer.now)
    return len(queued)


def takeaways_recipients(db_session: Session, meeting_id: int) -> list[Registered]:
    """Find the recipients of takeaways: with a spot, verified and not opted out."""
    held = recipients.of_meeting(db_session, meeting_id, [RegistrationStatus.HELD])
    return [
        person
        for person in held
        if person.recipient.is_verified
        and person.recipient.is_deliverable
        and "takeaways" not in person.recipient.opt_outs
    ]


def _new_times(
    meeting: MeetingFacts, starts_at: datetime, ends_at: datetime, writer: LetterWriter
) -> dict[str, object]:
    """Return the columns of a changed time; empty if the time is the same."""
    if ends_at <= starts_at:
        raise Refused(locking.ENDS_BEFORE_START, field="ends")
    if ends_at <= writer.now:
        raise Refused(
            N_("This date and time have already passed. Choose a later time."), field="date"
        )
    if (starts_at, ends_at) == (meeting.starts_at, meeting.ends_at):
        return {}
    if meeting.ends_at <= writer.now:
        raise Refused(
            N_("This session is over, so you can't move it. Add a new session instead."),
            field="date",
        )
    zone = writer.community.zone_info
    original_date = meeting.moved_from or meeting.starts_at.astimezone(zone).date()
    moved_from = original_date if starts_at.astimezone(zone).date() != original_date else None
    new = {"starts_at": starts_at, "ends_at": ends_at, "moved_from": moved_from}
    return new | _revision_columns(meeting, now=writer.now)


def _valid_capacity(capacity: int | None) -> int | None:
    if capacity is not None and capacity < 1:
        raise Refused(N_("Spots: enter at least 1, or leave blank for no limit."), field="capacity")
    return capacity


def _revision_columns(meeting: MeetingFacts, *, now: datetime) -> dict[str, object]:
    """Return the columns to write with a change that people and their calendars get."""
    # RFC 5545, section 3.8.7.4: a calendar ignores an update whose sequence number is not higher.
    return {"sequence": meeting.sequence + 1, "revised_at": now, "edited_at": now}


def _update(db_session: Session, meeting: MeetingFacts, new: Mapping[str, Any]) -> MeetingFacts:
    """Write new values, by column; return the meeting with them."""
    db_session.execute(update(Meeting).where(Meeting.id == meeting.id).values(**new))
    return replace(meeting, **new)


def _withdraw_reminders(db_session: Session, meeting: MeetingFacts) -> None:
    is_reminder = OutboxEmail.kind == EmailKind.REMINDER
    outbox.withdraw(db_session, OutboxEmail.meeting_id == meeting.id, is_reminder)
