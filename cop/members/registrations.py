"""Changes that a member makes to their registrations: more sessions, fewer answers."""

from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cop.audit import withdrawals
from cop.mail.recipients import LIVE_STATUSES, Recipient
from cop.mail.writer import LetterWriter
from cop.models.meeting import Meeting
from cop.models.registration import Registration
from cop.questions import registry
from cop.registration import register
from cop.registration.answers import Answers


def add_sessions(
    db_session: Session,
    to: Recipient,
    slugs: Iterable[str],
    *,
    latest: Registration,
    writer: LetterWriter,
) -> None:
    """Register a member for more sessions, with their latest answers.

    The caller must have locked the member: then a double click adds nothing twice.
    """
    query = select(Meeting.slug).join(Registration, Registration.meeting_id == Meeting.id)
    is_registered = (Registration.member_id == to.member_id, Registration.status.in_(LIVE_STATUSES))
    new_slugs = sorted(set(slugs).difference(db_session.scalars(query.where(*is_registered))))
    if new_slugs:
        answers = _latest_answers(to, latest, writer.community.disabled_questions)
        register.register(db_session, new_slugs, answers, writer=writer)


def _latest_answers(
    to: Recipient, latest: Registration, disabled_questions: Iterable[str]
) -> Answers:
    """The latest answers, except those to questions about one meeting."""
    questions = registry.enabled_questions(disabled_questions)
    values = {
        column: getattr(latest, column)
        for question in registry.ANSWERS
        if question in questions and not question.is_about_session
        for column in question.columns
    }
    return Answers(latest.name, to.email, values, language=to.language)


def delete_answer(
    db_session: Session, member_id: int, slug: str, name: str, *, writer: LetterWriter
) -> bool:
    """Delete one optional answer to a meeting; False if no such question exists.

    It is deleted from canceled registrations too.
    """
    # The field of this name, and the fields that were asked with it.
    fields = [f for f in registry.OPTIONAL_ANSWERS if name and name in (f.name, f.asked_with)]
    if not fields:
        return False
    values = {column: blank for field in fields for column, blank in field.blanks.items()}
    meeting_id = select(Meeting.id).where(Meeting.slug == slug).scalar_subquery()
    update_registrations = update(Registration).where(
        Registration.member_id == member_id, Registration.meeting_id == meeting_id
    )
    db_session.execute(update_registrations.values(**values))
    withdrawals.remember(db_session, member_id, withdrawals.answer(name, slug), writer=writer)
    return True
