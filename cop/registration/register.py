"""Register a person for sessions: one form, one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy.orm import Session

from cop.db.expiry import Expiry
from cop.errors import Refused
from cop.i18n import N_
from cop.mail.writer import LetterWriter
from cop.meetings import locking, schedule
from cop.meetings.locking import MeetingFacts
from cop.models.meeting import MeetingStatus
from cop.models.registration import RegistrationStatus, Submission
from cop.registration import notifications, statements
from cop.registration.answers import Answers

ALL_UPCOMING = "all"
REPLAY_WINDOW = timedelta(hours=24)


def register(
    db_session: Session,
    slugs: Sequence[str],
    answers: Answers,
    *,
    writer: LetterWriter,
    submission: str | None = None,
    send_confirmation: bool = True,
) -> None:
    """Register somebody for sessions and queue the emails about it.

    `submission` is the key of the public form: sending the same form again changes nothing. An
    existing registration of the address stays as it is.
    """
    now = writer.now
    is_all = ALL_UPCOMING in slugs
    ids = (
        statements.open_ids(db_session, now=now) if is_all else statements.ids_of(db_session, slugs)
    )
    locked = locking.lock(db_session, ids)
    if submission and statements.find_submission(db_session, submission):
        return
    status_of = _next_statuses(db_session, locked, now=now)
    if is_all:
        locked = [meeting for meeting in locked if meeting.id in status_of]
    _refuse_unavailable(locked, status_of, now=now)
    to = statements.upsert_member(db_session, answers)
    added = statements.insert_registrations(db_session, locked, answers, status_of, to=to, now=now)
    key = submission or token_hex(32)
    result = notifications.RegistrationResult(tuple(locked), status_of, added, key)
    notifications.queue_registration_emails(
        db_session, writer, to, result, answers, send_confirmation=send_confirmation
    )
    if submission:
        # The slugs of the meetings alone, not of what was added: strangers must not learn from the
        # confirmation page whether an address is registered already.
        held = [m.slug for m in locked if status_of[m.id] is RegistrationStatus.HELD]
        waiting = [m.slug for m in locked if status_of[m.id] is RegistrationStatus.WAITING]
        values = {"key": key, "held": held, "waiting": waiting, "created_at": now}
        values |= {"name": answers.name, "email": answers.email, "member_id": to.member_id}
        statements.save_submission(db_session, values | {"registration_ids": [*added.values()]})


def old_submissions(*, now: datetime) -> Expiry:
    """The stored submissions that are older than `REPLAY_WINDOW`."""
    return Expiry(Submission.key, Submission.created_at < now - REPLAY_WINDOW)


def next_status(
    db_session: Session, meeting: MeetingFacts, *, now: datetime
) -> RegistrationStatus | None:
    """The status of the next registration; None if it would be refused."""
    return _next_statuses(db_session, [meeting], now=now).get(meeting.id)


def _next_statuses(
    db_session: Session, locked: Sequence[MeetingFacts], *, now: datetime
) -> dict[int, RegistrationStatus]:
    """Map meeting ids to the next registration's status; omit those that refuse it."""
    counts = statements.count_places(db_session, locked)
    statuses = {}
    for meeting in locked:
        held, waiting = counts[meeting.id]
        has_begun = meeting.starts_at <= now
        availability = schedule.availability(
            meeting.capacity, held=held, waiting=waiting, has_begun=has_begun
        )
        is_open = meeting.status == MeetingStatus.PLANNED and meeting.ends_at > now
        if is_open and availability is not schedule.Availability.FULL:
            statuses[meeting.id] = RegistrationStatus.HELD
        elif is_open and not has_begun:
            statuses[meeting.id] = RegistrationStatus.WAITING
    return statuses


def _refuse_unavailable(
    locked: Sequence[MeetingFacts], status_of: Mapping[int, object], *, now: datetime
) -> None:
    if not locked:
        raise Refused(N_("No sessions are planned right now. Check back soon."), field="sessions")
    for meeting in locked:
        if meeting.id in status_of:
            continue
        sentence = N_("The session on %(date)s has started and is full. Choose another one below.")
        if meeting.ends_at <= now:
            sentence = locking.OVER
        elif meeting.is_cancelled:
            sentence = N_("The session on %(date)s is canceled. Choose another one below.")
        raise Refused(sentence, field="sessions", date=meeting.starts_at)
