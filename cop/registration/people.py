"""The people registered for a meeting, as rows."""

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager

from cop.mail.recipients import LIVE_STATUSES
from cop.models.registration import Registration


def select_live_registrations(meeting_id: int) -> Select[Registration]:
    """Select live registrations with members, refreshing rows already loaded."""
    return (
        select(Registration)
        .join(Registration.member)
        .options(contains_eager(Registration.member))
        .where(Registration.meeting_id == meeting_id, Registration.status.in_(LIVE_STATUSES))
        .execution_options(populate_existing=True)
    )
