"""What becomes of mails that are done with: first their texts go, then their rows."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, update
from sqlalchemy.orm import Session

from cop.domain.outbox import IS_TO_SOMEBODY, WAITING
from cop.models import MailState, OutboxEmail

TEXT_KEPT = timedelta(days=7)  # after a mail has gone out, or has failed
ROW_KEPT = timedelta(days=60)  # as long as the same mail could be queued again


def forget(db_session: Session, *, now: datetime) -> int:
    """Blank what mails said that are done with for a week, and delete old rows; return how many."""
    is_done = OutboxEmail.state.not_in([*WAITING, MailState.SENDING])
    has_text = OutboxEmail.text != ""
    over = func.coalesce(OutboxEmail.done_at, OutboxEmail.created_at) <= now - TEXT_KEPT
    blank = {"to_address": "", "to_name": "", "subject": "", "text": "", "html": "", "answer": ""}
    blanked = db_session.execute(
        update(OutboxEmail)
        .where(is_done, has_text, over)
        .values(**blank, calendar=None, unsubscribe_url=None)
        .execution_options(synchronize_session=False)
    )
    is_old = OutboxEmail.created_at <= now - ROW_KEPT
    is_nobodys = ~IS_TO_SOMEBODY & (OutboxEmail.created_at <= now - timedelta(days=1))
    db_session.execute(
        delete(OutboxEmail)
        .where(is_done, is_old | is_nobodys)
        .execution_options(synchronize_session=False)
    )
    return blanked.rowcount  # type: ignore[attr-defined,no-any-return]
