"""Save settings: under a lock, raising the revision, with an audit entry."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cop.audit import audit_log
from cop.audit.audit_log import Action
from cop.community.community import CommunityFacts, load_community
from cop.models.community import Community


def lock_settings(db_session: Session) -> CommunityFacts:
    """Lock the community until the transaction ends, and read it."""
    db_session.execute(select(Community.id).with_for_update())
    return load_community(db_session)


def save_settings(
    db_session: Session, values: Mapping[str, object], *, coordinator_id: int, now: datetime
) -> None:
    """Write the changed values only: another coordinator may have changed the others."""
    db_session.execute(update(Community).values(**values, revision=Community.revision + 1))
    audit_log.record_action(
        db_session, coordinator_id, Action.CHANGED_SETTINGS, now=now, item_count=len(values)
    )
