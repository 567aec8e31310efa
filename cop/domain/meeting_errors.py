"""Refusals of what coordinators ask of the rhythm, and of the fate of a meeting."""

from cop.domain.broken import RuleBroken
from cop.words import N_


class RhythmNeverMatches(RuleBroken):
    """The rule names no date at all."""

    field = "months_off"
    reason = N_("There would never be a session. Leave at least one month.")


class WeeksUncounted(RuleBroken):
    """Nobody can say which of the weeks are meant."""

    field = "rule_from"
    reason = N_("Write one of its dates, on the weekday above: the weeks are counted from there.")


class ZoneUnknown(RuleBroken):
    """There is no such time zone."""

    field = "zone"
    reason = N_("Choose a time zone of the list, like America/New_York.")


class PlannedAheadRefused(RuleBroken):
    """Too few or too many dates are to be planned."""

    field = "planned_ahead"
    reason = N_("Plan 1 to 24 dates ahead.")


class ObservanceRefused(RuleBroken):
    """A line of the list is no date with a name after it."""

    field = "observances"
    reason = N_(
        "Mend line %(number)s: write a date like 2027-03-26, a space, and a name of at most 100 "
        "letters."
    )


class ObservancesTooMany(RuleBroken):
    """The list is longer than anybody reads."""

    field = "observances"
    reason = N_("Keep at most %(most)s days: leave out those that have passed.")


class TooLongAgo(RuleBroken):
    """The meeting would be older than any community of this kind."""

    field = "date"
    reason = N_("Write a date of this century.")


class MovedAfterEnd(RuleBroken):
    """The meeting is over: what is known of it, and when that goes, belongs to its date."""

    field = "date"
    reason = N_("This session is over, so its date stays. Add another session instead.")


class SameMeeting(RuleBroken):
    """There is a meeting at this time with this topic: the form was sent twice."""

    field = "topic"
    reason = N_(
        "There is a session at this time with this topic already. Choose another time, or say in "
        "the topic how this one differs."
    )


class CancelledAlready(RuleBroken):
    """The meeting was cancelled before, by somebody who may have given another reason."""

    field = "reason"
    reason = N_("It is cancelled already, and everybody reads: “%(said)s” Nothing was changed.")


class TakesPlace(RuleBroken):
    """There is nothing to restore."""

    reason = N_("It takes place: there is nothing to restore.")


class RestoredTooLate(RuleBroken):
    """The meeting was cancelled so long ago that nobody has kept the time free."""

    reason = N_(
        "It was cancelled more than %(days)s days ago, so it cannot be restored. Add a new "
        "session instead."
    )


class RestoredAfterEnd(RuleBroken):
    """The time for which the meeting was planned is over."""

    reason = N_("Its time is over, so it cannot be restored. Add a new session instead.")


class EditedMeanwhile(RuleBroken):
    """Somebody else was quicker, by less than it takes to send a form."""

    reason = N_("Somebody else has changed this just now. Look at it again.")
