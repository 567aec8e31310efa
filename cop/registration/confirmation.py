"""What the confirmation page can still change, for half an hour: the email and the answers.

Neither reveals whether the form created a registration, or whether the address had one already.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from cop import email_addresses
from cop.audit import withdrawals
from cop.db.expiry import Expiry
from cop.errors import Refused
from cop.i18n import N_
from cop.mail.recipients import LIVE_STATUSES, MEMBER_COLUMNS, recipient
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.meetings.locking import MeetingFacts
from cop.models.registration import Member, Registration, Submission, Withdrawal
from cop.outbox import outbox
from cop.questions import registry
from cop.registration import cancellation, notifications, register, statements, waiting_list
from cop.registration.answers import Answers

OPEN_FOR = timedelta(minutes=30)
TOO_LATE = N_("This page was open for more than 30 minutes. Use the link in our email instead.")
SAME_EMAIL = N_("This is the email we already have. Enter the correct one.")
_BLANKS: dict[str, object] = {"email": "", "name": "", "member_id": None, "registration_ids": []}


def is_open(submission: Submission, *, now: datetime) -> bool:
    """Return whether the confirmation page can still change what the form sent."""
    return submission.email != "" and submission.created_at > now - OPEN_FOR


def closed_submissions(*, now: datetime) -> Expiry:
    """The submissions that can no longer be changed, to be blanked."""
    is_closed = (Submission.created_at <= now - OPEN_FOR) & (Submission.email != "")
    return Expiry(Submission.key, is_closed, _BLANKS)


def save_answers(
    db_session: Session, key: str, values: Mapping[str, object], *, writer: LetterWriter
) -> None:
    """Store the answers, by question, with the registrations that the form created.

    The preparation answer is stored only with the soonest of the form's sessions that asks a
    question. Answers that the owner of the address has changed by a link stay.
    """
    submission, member = _lock(db_session, key, now=writer.now)
    if member is None:
        return
    to = recipient(member, name="", language=writer.language)
    if values.get("list_opt_in"):
        notifications.request_subscription(db_session, to, writer=writer)
    ids = statements.ids_of(db_session, [*submission.held, *submission.waiting])
    is_theirs = Registration.meeting_id.in_(ids) & (Registration.member_id == member.id)
    is_live = Registration.status.in_(LIVE_STATUSES)
    found = db_session.scalars(select(Registration).where(is_theirs, is_live))
    rows = {row.meeting_id: row for row in found}
    meetings = locking.read(db_session, rows)
    with_question = next((meeting for meeting in meetings if meeting.prep_question), None)
    has_acted = to.verified_at is not None and to.verified_at > submission.created_at
    for meeting in meetings:
        row = rows[meeting.id]
        asked = [
            q
            for q in registry.OPTIONAL_ANSWERS
            if meeting is with_question or not q.is_about_session
        ]
        columns = {column for question in asked for column in question.columns}
        stored = {column: value for column, value in values.items() if column in columns}
        stays = row.id not in (submission.registration_ids or []) or (has_acted and _answered(row))
        # For a registration that stays as it is the same is done, as if it had no answers, and
        # undone: otherwise the time would tell who was registered before, and with which answers.
        with db_session.begin_nested() as savepoint:
            for column in columns if stays else ():
                setattr(row, column, registry.BLANKS[column])
            flag_modified(row, "name")  # always one UPDATE
            change_answers(db_session, row, meeting, stored, writer=writer)
            db_session.flush()
            if stays:
                savepoint.rollback()


def change_answers(
    db_session: Session,
    row: Registration,
    meeting: MeetingFacts,
    values: Mapping[str, object],
    *,
    writer: LetterWriter,
) -> None:
    """Store changed answers, by column, and notify coordinators of new access needs."""
    answered_before, needs_before = _answered(row), _access_needs(row)
    for column, value in values.items():
        setattr(row, column, value)
    # An answer that was cleared must not come back with a restored backup, like a deleted one.
    cleared = sorted(answered_before - _answered(row))
    scopes = [withdrawals.answer(name, meeting.slug) for name in cleared]
    withdrawals.remember(db_session, row.member_id, *scopes, writer=writer)
    has_new_needs = any(_access_needs(row)) and _access_needs(row) != needs_before
    if has_new_needs and row.status in LIVE_STATUSES and meeting.ends_at > writer.now:
        occasion = f"{row.id}:{writer.now.isoformat()}"
        queued = notifications.access_need_emails(db_session, writer, meeting, occasion=occasion)
        outbox.queue(db_session, queued, now=writer.now)


def _answered(row: Registration) -> set[str]:
    """The names of the optional questions that have an answer."""
    return {field.name for field in registry.OPTIONAL_ANSWERS if field.is_answered_in(row)}


def _access_needs(row: Registration) -> list[object]:
    return [getattr(row, column) for column in registry.ACCESS.columns]


def change_email(
    db_session: Session, key: str, email: str, *, new_key: str, writer: LetterWriter
) -> None:
    """Register another address for the same sessions, once per form.

    What the form created for the first address is withdrawn, unless its owner has acted, or another
    form with this address came later. `new_key` becomes the key of the corrected form; sent again,
    it changes nothing. The first key leads to the corrected registrations, too.
    """
    submission, member = _lock(db_session, key, now=writer.now)
    if statements.find_submission(db_session, new_key):
        return
    if not submission.name:
        raise Refused(
            N_("You can change the email only once. Use the link in our email instead."),
            field="email",
        )
    if email_addresses.normalize(email) == email_addresses.normalize(submission.email):
        raise Refused(SAME_EMAIL, field="email")
    slugs = [*submission.held, *submission.waiting]
    locked = locking.lock(db_session, statements.ids_of(db_session, slugs))
    # Withdrawn first, and given to the waiting list last: the spot goes to the corrected address
    # unless somebody waits for it, as if the first address had never been typed.
    if all(meeting.ends_at > writer.now for meeting in locked):  # else registering refuses
        _withdraw(db_session, submission, member, writer=writer)
    answers = Answers(submission.name, email, language=writer.language)
    register.register(db_session, slugs, answers, writer=writer, submission=new_key)
    for meeting in locked:
        waiting_list.promote(db_session, meeting, writer=writer)
    corrected = db_session.get_one(Submission, new_key)
    corrected.name = ""
    for name in ("held", "waiting", *_BLANKS):  # for a page that still has the first key
        setattr(submission, name, getattr(corrected, name))


def _lock(db_session: Session, key: str, *, now: datetime) -> tuple[Submission, Any]:
    """Lock a form and before it its member, in the order of an erasure, against deadlocks."""
    select_id = select(Submission.member_id).where(Submission.key == key).scalar_subquery()
    query = select(*MEMBER_COLUMNS, Member.email_key).where(Member.id == select_id)
    member = db_session.execute(query.with_for_update()).one_or_none()
    submission = db_session.get(Submission, key, with_for_update=True)
    if submission is None or submission.created_at <= now - OPEN_FOR:
        raise Refused(TOO_LATE, field="email")
    return submission, member


def _withdraw(
    db_session: Session, submission: Submission, member: Any, *, writer: LetterWriter
) -> None:
    """Cancel what a form created, once a day for each address; delete the member if that was all.

    More often, it would be a way to send them any number of confirmations. The caller must hold the
    meetings' locks.
    """
    if member is None or (member.verified_at and member.verified_at > submission.created_at):
        return  # erased, or its owner has acted
    is_later = Submission.created_at > submission.created_at  # perhaps sent by the owner
    if db_session.scalar(select(exists().where(Submission.member_id == member.id, is_later))):
        return
    key = withdrawals.key_of(member.email_key, writer.links.secret_key)
    last = db_session.get(Withdrawal, (key, withdrawals.CORRECTION))
    if last and last.withdrawn_at > writer.now - timedelta(days=1):
        return
    withdrawals.remember(db_session, member.id, withdrawals.CORRECTION, writer=writer)
    is_theirs = Registration.member_id == member.id
    is_other = Registration.id.not_in(submission.registration_ids or [])
    if member.verified_at or db_session.scalar(select(exists().where(is_theirs, is_other))):
        for registration_id in submission.registration_ids or []:
            cancellation.cancel_registration(db_session, registration_id, writer=writer)
        return
    withdrawals.remember(db_session, member.id, withdrawals.EVERYTHING, writer=writer)
    db_session.execute(delete(Registration).where(is_theirs))
    db_session.execute(delete(Member).where(Member.id == member.id))  # and the emails to them
