"""Check whether the clock can be trusted to delete expired data by.

Deletion is final, and a clock that is years ahead makes everything expired. So the daily tasks
compare the clock with the time they last ran. After a jump they wait until the clock has been
steady for a day, and after a long one until a coordinator has confirmed it. A site that was
switched off for as long looks the same and has to wait, too.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import update
from sqlalchemy.orm import Session

from cop.audit import audit_log
from cop.audit.audit_log import Action
from cop.community.community import CommunityFacts, load_community, lock_community
from cop.models.community import Community

EXPECTED_GAP = timedelta(days=2)  # between two runs, either way
LONG_GAP = timedelta(days=60)
STABLE_FOR = timedelta(hours=24)
SETTLED_AFTER = timedelta(hours=1)  # most wrong clocks are corrected by then
LONGEST_GAP = timedelta(hours=1)  # a longer gap is a stop or a jump, and does not count as steady
RECORD_INTERVAL = timedelta(minutes=10)


class Verdict(Enum):
    """What the daily tasks may do."""

    RUN = "run"
    WAIT = "wait"
    ASK = "ask"


def check(community: CommunityFacts, *, now: datetime) -> Verdict:
    """Check the clock against the times stored."""
    last = community.clock_confirmed_at or community.daily_tasks_at
    if last is None or abs(now - last) <= EXPECTED_GAP:
        return Verdict.RUN
    if now - last > LONG_GAP:
        return Verdict.ASK
    return Verdict.RUN if stable_for(community) >= STABLE_FOR else Verdict.WAIT


def stable_for(community: CommunityFacts) -> timedelta:
    """Return for how long a clock that has jumped was observed to be steady."""
    return timedelta(seconds=community.clock_steady_seconds or 0)


def has_settled(community: CommunityFacts, *, now: datetime) -> bool:
    """Whether emails may be sent by this clock: it never jumped, or was steady for an hour."""
    is_in_doubt = check(community, now=now) is not Verdict.RUN
    return not is_in_doubt or stable_for(observe(community, now=now)) >= SETTLED_AFTER


def can_plan(community: CommunityFacts, *, now: datetime) -> bool:
    """Whether sessions may be planned by this clock: a session years ahead would stay."""
    return check(community, now=now) is not Verdict.ASK and has_settled(community, now=now)


def observe(community: CommunityFacts, *, now: datetime) -> CommunityFacts:
    """Observe a clock that has jumped: add the time since the last observation.

    A gap of some hours adds nothing and resets nothing: a machine that runs only by day gets to
    24 hours, too. Another jump starts from zero.
    """
    seen_at = community.clock_seen_at
    gap = now - seen_at if seen_at else None
    if gap is None or not -LONGEST_GAP <= gap <= EXPECTED_GAP:
        return replace(community, clock_seen_at=now, clock_steady_seconds=0)
    counted = gap if timedelta() < gap <= LONGEST_GAP else timedelta()
    steady = stable_for(community) + counted
    return replace(community, clock_seen_at=now, clock_steady_seconds=int(steady.total_seconds()))


def should_record(community: CommunityFacts, *, now: datetime) -> bool:
    """Limit writes: the worker observes the clock every few seconds."""
    return community.clock_seen_at is None or abs(now - community.clock_seen_at) >= RECORD_INTERVAL


def record(db_session: Session, *, now: datetime) -> None:
    """Store an observation of a clock that has jumped."""
    seen = observe(lock_community(db_session), now=now)  # two workers add up one by one
    values = {"clock_seen_at": now, "clock_steady_seconds": seen.clock_steady_seconds}
    db_session.execute(update(Community).values(values))


def confirm(db_session: Session, *, coordinator_id: int | None, now: datetime) -> bool:
    """Confirm that the clock is right, so that the daily tasks run; return whether that was needed.

    `coordinator_id` is None on the command line.
    """
    if check(load_community(db_session), now=now) is Verdict.RUN:
        return False
    db_session.execute(update(Community).values(clock_confirmed_at=now))
    if coordinator_id is not None:
        audit_log.record_action(db_session, coordinator_id, Action.CONFIRMED_CLOCK, now=now)
    return True
