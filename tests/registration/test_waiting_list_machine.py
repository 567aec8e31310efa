"""The waiting list against a model, for any order of actions."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from cop.db.engine import DatabaseSession
from cop.errors import Refused
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration
from cop.outbox.outbox import EmailKind
from cop.privacy import erasure
from cop.registration import cancellation
from cop.registration.answers import Answers
from tests.builders import (
    NOW,
    a_meeting,
    a_writer,
    cancel_meeting,
    edit,
    outbox_emails,
    register,
    restore_meeting,
)

PEOPLE = st.sampled_from([f"person{number}@example.org" for number in range(7)])
CAPACITIES = st.one_of(st.none(), st.integers(1, 4))
START = NOW + timedelta(days=21)
STEPS = {"before": NOW, "begun": START, "over": START + timedelta(minutes=90)}


class WaitingList(RuleBasedStateMachine):
    """One meeting; the model is a list of [person, status, was promoted], in the order of joining."""

    engine = None

    @initialize(capacity=CAPACITIES)
    def begin(self, capacity):
        self.db_session = DatabaseSession(self.engine, expire_on_commit=False)
        self.db_session.connection(execution_options={"immediate": True})
        self.meeting = a_meeting(
            self.db_session, slug="machine", starts_at=START, capacity=capacity
        )
        self.capacity, self.line = capacity, []
        self.time, self.is_planned = "before", True

    def teardown(self):
        if hasattr(self, "db_session"):
            self.db_session.rollback()
            self.db_session.close()

    @property
    def writer(self):
        return a_writer(self.db_session, now=STEPS[self.time])

    def live(self, status):
        return [entry for entry in self.line if entry[1] == status]

    def move_up(self):
        """What the promise says: who joined first comes first, as long as there are free places."""
        while self.is_planned and self.time == "before" and self.live("waiting"):
            if self.capacity is not None and len(self.live("held")) >= self.capacity:
                return
            first = self.live("waiting")[0]
            first[1:] = ["held", True]

    @rule(person=PEOPLE)
    def register(self, person):
        is_there = any(entry[0] == person and entry[1] != "cancelled" for entry in self.line)
        is_full = self.capacity is not None and len(self.live("held")) >= self.capacity
        is_full = is_full or (self.time == "before" and bool(self.live("waiting")))
        try:
            details = Answers("Person", person)
            register(self.db_session, "machine", details, now=STEPS[self.time])
        except Refused as refusal:
            if "full" in str(refusal):
                assert self.time == "begun"
                assert is_full
            else:
                assert not self.is_planned or self.time == "over"
            return
        assert self.is_planned
        assert self.time != "over"
        if not is_there:
            self.line.append([person, "waiting" if is_full else "held", False])

    @rule(person=PEOPLE)
    def give_up(self, person):
        for entry in self.line:
            if entry[0] == person and entry[1] != "cancelled":
                entry[1] = "cancelled" if self.time != "over" else entry[1]
                try:
                    cancellation.cancel_registration(
                        self.db_session, self._id(person), writer=self.writer
                    )
                except Refused:
                    assert self.time == "over"
        self.move_up()

    @rule(person=PEOPLE)
    def erase(self, person):
        member = select(Member.id).where(Member.email_key == person)
        if id_ := self.db_session.scalar(member):
            erasure.erase(self.db_session, id_, writer=self.writer)
            self.line = [entry for entry in self.line if entry[0] != person]
            self.move_up()

    @rule(capacity=CAPACITIES)
    def offer(self, capacity):
        edit(self.db_session, self.meeting, capacity=capacity, now=self.writer.now)
        self.capacity = capacity
        self.move_up()

    @precondition(lambda self: self.is_planned)
    @rule()
    def cancel_meeting(self):
        cancel_meeting(self.db_session, self.meeting, now=self.writer.now)
        self.is_planned = False

    @precondition(lambda self: not self.is_planned)
    @rule()
    def restore_meeting(self):
        if self.time == "over":
            with pytest.raises(Refused, match="time has passed"):
                restore_meeting(self.db_session, self.meeting, now=self.writer.now)
            return
        restore_meeting(self.db_session, self.meeting, now=self.writer.now)
        self.is_planned = True
        self.move_up()

    @rule(time=st.sampled_from(["before", "before", "begun", "over"]))
    def let_time_pass(self, time):
        if list(STEPS).index(time) >= list(STEPS).index(self.time):
            self.time = time

    @invariant()
    def every_status_is_that_of_the_model(self):
        was_promoted = Registration.promoted_at.is_not(None)
        query = select(Member.email_key, Registration.status, was_promoted).join(Member)
        query = query.where(Registration.meeting_id == self.meeting.id).order_by(Registration.id)
        assert [list(row) for row in self.db_session.execute(query)] == self.line
        query = select(Meeting.capacity).where(Meeting.slug == "machine")
        assert self.db_session.scalar(query) == self.capacity

    @invariant()
    def each_promotion_is_emailed_once_unless_it_was_canceled(self):
        emails = outbox_emails(self.db_session, EmailKind.PROMOTED)
        promoted = sorted(entry[0] for entry in self.live("held") if entry[2])
        assert sorted(email.to_address for email in emails) == promoted

    def _id(self, person):
        live = Registration.status != "cancelled"
        query = select(Registration.id).join(Member).where(Member.email_key == person, live)
        return self.db_session.scalar(query)


@pytest.mark.slow
@pytest.mark.both
def test_the_waiting_list_does_what_the_model_does(seeded, database_kind):
    machine = type("Machine", (WaitingList,), {"engine": seeded(database_kind)})
    examples = settings(
        max_examples=60 if database_kind == "sqlite" else 20,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    run_state_machine_as_test(machine, settings=examples)

    assert machine.engine is not None
