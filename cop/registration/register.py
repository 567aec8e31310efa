"""Registering: one form, one transaction, and for each meeting a place or a turn in its queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from cop.db.expiry import Expiry
from cop.errors import Refused
from cop.i18n import N_
from cop.mail.writer import LetterWriter
from cop.meetings import locking, schedule
from cop.meetings.locking import LockedMeeting
from cop.meetings.schedule import places
from cop.models.meeting import MeetingStatus
from cop.models.registration import RegistrationStatus, Submission
from cop.registration import notifications, statements
from cop.registration.answers import Answers
from cop.registration.statements import PlaceCounts

ALL_UPCOMING = "all"
REPLAY_WINDOW = timedelta(hours=24)


@dataclass(frozen=True)
class Outcome:
    """What the page says, by slug: the same for everybody who posts at that moment.

    It follows from the meetings alone, never from who posts: it must not tell a stranger that an
    address has registered before.
    """

    held: tuple[str, ...]
    waiting: tuple[str, ...]


def register(
    db_session: Session,
    slugs: Sequence[str],
    answers: Answers,
    *,
    submission: str,
    writer: LetterWriter,
    send_confirmation: bool = True,
) -> Outcome:
    """Hold places for somebody, or put them on the waiting lists, and queue their confirmation.

    The caller's transaction commits, so the places and the mail are kept or lost together.
    `submission` names the form that was sent: the same one again is answered as before, and changes
    nothing. A place that the address holds already stays as it is. Somebody whom a coordinator
    tells in person gets no mail of ours about it.
    """
    now = writer.now
    is_all = ALL_UPCOMING in slugs
    ids = (
        statements.open_ids(db_session, now=now) if is_all else statements.ids_of(db_session, slugs)
    )
    locked = locking.lock(db_session, ids)
    if saved := statements.find_submission(db_session, submission):
        return Outcome(*map(tuple, saved))
    status_of = _decide(locked, statements.count_places(db_session, locked), now=now)
    if is_all:  # who asks for all asks for those that can be had
        locked = [meeting for meeting in locked if meeting.id in status_of]
    _refuse_missing(locked, status_of, zone=writer.community.zone_info, now=now)
    to = statements.upsert_member(db_session, answers, now=now)
    new = statements.insert_registrations(db_session, locked, answers, status_of, to=to, now=now)
    placed = notifications.RegistrationResult(tuple(locked), status_of, new, submission)
    notifications.queue_registration_emails(
        db_session, writer, to, placed, answers, send_confirmation=send_confirmation
    )
    outcome = _outcome(locked, status_of)
    statements.save_submission(db_session, submission, outcome.held, outcome.waiting, now=now)
    return outcome


def old_submissions(*, now: datetime) -> Expiry:
    """The saved answers that are too old to be replayed."""
    return Expiry(Submission.key, Submission.created_at < now - REPLAY_WINDOW)


def next_status(
    db_session: Session, meeting: LockedMeeting, *, now: datetime
) -> RegistrationStatus | None:
    """What who comes next gets at a meeting; nothing where it is closed, or begun and full."""
    return _decide([meeting], statements.count_places(db_session, [meeting]), now=now).get(
        meeting.id
    )


def _refuse_missing(
    locked: list[LockedMeeting], status_of: Mapping[int, object], *, zone: ZoneInfo, now: datetime
) -> None:
    if not locked:
        raise Refused(
            N_("No session is planned at the moment. Please look at the schedule again soon."),
            field="sessions",
        )
    for meeting in locked:
        date = meeting.starts_at.astimezone(zone).date()
        if meeting.id in status_of:
            continue
        if meeting.ends_at <= now:
            raise Refused(locking.OVER, field="sessions", date=date)
        if meeting.status == MeetingStatus.CANCELLED:
            raise Refused(
                N_("The session on %(date)s is cancelled. Choose another one below."),
                field="sessions",
                date=date,
            )
        raise Refused(
            N_("The session on %(date)s has begun and is full. Choose another one below."),
            field="sessions",
            date=date,
        )


def _decide(
    locked: list[LockedMeeting], taken: Mapping[int, PlaceCounts], *, now: datetime
) -> dict[int, RegistrationStatus]:
    """What who comes next gets at each meeting; nothing where it is closed, or begun and full."""
    decided = {}
    for meeting in locked:
        held, waiting = taken[meeting.id]
        has_begun = meeting.starts_at <= now
        left = places(meeting.capacity, held=held, waiting=waiting, has_begun=has_begun)
        is_open = meeting.status == MeetingStatus.PLANNED and meeting.ends_at > now
        if is_open and left is not schedule.PlaceCounts.FULL:
            decided[meeting.id] = RegistrationStatus.HELD
        elif is_open and not has_begun:
            decided[meeting.id] = RegistrationStatus.WAITING
    return decided


def _outcome(locked: list[LockedMeeting], status_of: Mapping[int, RegistrationStatus]) -> Outcome:
    held, waiting = (
        tuple(meeting.slug for meeting in locked if status_of[meeting.id] is status)
        for status in (RegistrationStatus.HELD, RegistrationStatus.WAITING)
    )
    return Outcome(held, waiting)
