"""Refusals of what coordinators do for one person; `errors` has them, too."""

from cop.domain.rules import RuleBroken
from cop.words import N_


class PersonUnknown(RuleBroken):
    """There is no such registration for this meeting, or not any more."""

    reason = N_("There is no such person on this roster. They may have deleted everything.")


class ChangedMeanwhile(RuleBroken):
    """What is asked for fits the place as it was, and not as it is."""

    reason = N_("This place was changed meanwhile, so nothing was done. It stands here as it is.")


class PlacesSettled(RuleBroken):
    """The meeting is over, or does not take place."""

    reason = N_("This session is over, or cancelled, so there is no place to give or to take.")


class NoPlaceFree(RuleBroken):
    """One more than the meeting offers, and nobody has agreed to that."""

    reason = N_("The last place has just gone. You can still give one more than you offer.")


class WaitingListOver(RuleBroken):
    """The meeting has begun, and with it the waiting list has ended."""

    reason = N_("The session has begun, and its waiting list has ended.")


class NobodyElseWaits(RuleBroken):
    """The place would be free, and theirs again."""

    reason = N_(
        "Nobody else waits for this place, so it would be theirs again. If they cannot have it, "
        "cancel it."
    )


class HeldAgain(RuleBroken):
    """The member has registered for this meeting once more."""

    reason = N_("They have registered again meanwhile, so there is nothing to restore.")


class TooLongAgo(RuleBroken):
    """The registration was cancelled more than 30 days ago, or nobody knows when."""

    reason = N_("A place can be restored for 30 days. Add the person again instead.")


class SameAddress(RuleBroken):
    """It is compared as the same address."""

    field = "email"
    reason = N_("This is the address that we have. Write the one that is meant.")


class BothRegistered(RuleBroken):
    """The other address has a place at one of the same meetings."""

    field = "email"
    reason = N_(
        "This address is registered for %(date)s already. Cancel the place of the misspelt address "
        "on that day, without a mail: the other one stays."
    )


class HoldsPlaceAlready(RuleBroken):
    """The address is registered for this meeting."""

    field = "email"
    reason = N_("This address is on the roster already. Look for it there.")
