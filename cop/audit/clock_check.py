"""Check whether the clock can be trusted, before expired data is deleted.

Deletion is final, and by a clock that is years ahead everything is expired. So the daily tasks
compare the clock with the time of their last run. After a jump of days they wait until the clock
has been steady for a day, after a longer jump until a coordinator has confirmed the clock. A site
that was switched off for such a time cannot be distinguished from a jump, and has to wait, too.
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

MAX_EXPECTED_JUMP = timedelta(days=2)  # between two runs, forward or back
MAX_UNCONFIRMED_JUMP = timedelta(days=60)  # after a longer one, a coordinator has to confirm
STEADY_BEFORE_DELETING = timedelta(hours=24)
STEADY_BEFORE_SENDING = timedelta(hours=1)  # most wrong clocks are corrected by then
# After a longer time between two observations, the worker was stopped or the clock has jumped
# again, so it does not count as steady.
MAX_STEADY_GAP = timedelta(hours=1)
RECORD_INTERVAL = timedelta(minutes=10)


class Verdict(Enum):
    """Whether the daily tasks may run."""

    RUN = "run"
    WAIT = "wait"  # until the clock has been steady for a day
    ASK = "ask"  # a coordinator has to confirm the clock


def check(community: CommunityFacts, *, now: datetime) -> Verdict:
    """Compare the clock with the last time at which it was right."""
    last_right_at = community.clock_confirmed_at or community.daily_tasks_at
    if last_right_at is None or abs(now - last_right_at) <= MAX_EXPECTED_JUMP:
        return Verdict.RUN
    if now - last_right_at > MAX_UNCONFIRMED_JUMP:
        return Verdict.ASK
    return Verdict.RUN if steady_for(community) >= STEADY_BEFORE_DELETING else Verdict.WAIT


def steady_for(community: CommunityFacts) -> timedelta:
    """Return for how long a clock that has jumped was observed to be steady."""
    return timedelta(seconds=community.clock_steady_seconds or 0)


def has_settled(community: CommunityFacts, *, now: datetime) -> bool:
    """Whether emails may be sent: no jump, or the clock was steady for an hour."""
    if check(community, now=now) is Verdict.RUN:
        return True
    return steady_for(observe(community, now=now)) >= STEADY_BEFORE_SENDING


def can_plan(community: CommunityFacts, *, now: datetime) -> bool:
    """Whether sessions may be planned: by a wrong clock, it could be years ahead."""
    return check(community, now=now) is not Verdict.ASK and has_settled(community, now=now)


def observe(community: CommunityFacts, *, now: datetime) -> CommunityFacts:
    """Observe a clock that has jumped: add to the time that it has been steady.

    A gap of some hours adds nothing and resets nothing, so that a machine that runs only by day
    gets to 24 hours, too. Another jump resets the steady time to zero.
    """
    seen_at = community.clock_seen_at
    gap = now - seen_at if seen_at else None
    if gap is None or not -MAX_STEADY_GAP <= gap <= MAX_EXPECTED_JUMP:
        return replace(community, clock_seen_at=now, clock_steady_seconds=0)
    added = gap if timedelta() < gap <= MAX_STEADY_GAP else timedelta()
    steady = steady_for(community) + added
    return replace(community, clock_seen_at=now, clock_steady_seconds=int(steady.total_seconds()))


def should_record(community: CommunityFacts, *, now: datetime) -> bool:
    """Whether to store an observation, which is made every few seconds."""
    return community.clock_seen_at is None or abs(now - community.clock_seen_at) >= RECORD_INTERVAL


def record(db_session: Session, *, now: datetime) -> None:
    """Store an observation of a clock that has jumped."""
    # Locked, so that two workers do not both add the same time.
    observed = observe(lock_community(db_session), now=now)
    values = {"clock_seen_at": now, "clock_steady_seconds": observed.clock_steady_seconds}
    db_session.execute(update(Community).values(values))


def confirm(db_session: Session, *, coordinator_id: int | None, now: datetime) -> bool:
    """Confirm that the clock is right; return whether that was needed.

    `coordinator_id` is None if it is confirmed on the command line.
    """
    if check(load_community(db_session), now=now) is Verdict.RUN:
        return False
    db_session.execute(update(Community).values(clock_confirmed_at=now))
    if coordinator_id is not None:
        audit_log.record_action(db_session, coordinator_id, Action.CONFIRMED_CLOCK, now=now)
    return True
