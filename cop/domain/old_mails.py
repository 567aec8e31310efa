"""What becomes of mails that are done with: first their texts go, then their rows."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func

from cop.domain.expiry import Expiry
from cop.domain.outbox import IS_TO_SOMEBODY, WAITING
from cop.models import MailState, OutboxEmail

TEXT_KEPT = timedelta(days=7)  # after a mail has gone out, or has failed
ROW_KEPT = timedelta(days=60)  # as long as the same mail could be queued again
_BLANK = dict.fromkeys(("to_address", "to_name", "subject", "text", "html", "server_reply"), "")
_NONE = dict.fromkeys(("calendar", "unsubscribe_url"))


def expiries(*, now: datetime) -> Iterator[Expiry]:
    """The texts of emails that are done with for a week, and old rows."""
    is_done = OutboxEmail.state.not_in([*WAITING, MailState.SENDING])
    has_text = OutboxEmail.text != ""
    is_over = func.coalesce(OutboxEmail.done_at, OutboxEmail.created_at) <= now - TEXT_KEPT
    yield Expiry(OutboxEmail.id, is_done & has_text & is_over, _BLANK | _NONE, counted_as="mails")
    is_old = OutboxEmail.created_at <= now - ROW_KEPT
    is_nobodys = ~IS_TO_SOMEBODY & (OutboxEmail.created_at <= now - timedelta(days=1))
    yield Expiry(OutboxEmail.id, is_done & (is_old | is_nobodys))
