"""What coordinators change about the community, in one way: held, written, counted and noted."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cop.accounts.accounts import CurrentCoordinator
from cop.audit import audit_log
from cop.audit.audit_log import Action
from cop.community.community import CommunityFacts, load_community
from cop.models.community import Community


def lock_settings(db_session: Session) -> CommunityFacts:
    """Read the community, and keep others from changing it until this transaction ends."""
    db_session.execute(select(Community.id).with_for_update())
    return load_community(db_session)


def save_settings(
    db_session: Session, values: Mapping[str, object], *, by: CurrentCoordinator, now: datetime
) -> None:
    """Write what was changed, and only that: the rest may have been changed by somebody else."""
    counted = {"revision": Community.revision + 1}
    db_session.execute(update(Community).values({**values, **counted}))
    audit_log.record_action(
        db_session, by.id, Action.CHANGED_SETTINGS, now=now, item_count=len(values)
    )
