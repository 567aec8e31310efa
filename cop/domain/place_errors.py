"""Refusals of what coordinators do for one person."""

from cop.domain.broken import RuleBroken
from cop.words import N_


class PlaceRefused(RuleBroken):
    """What is asked for does not fit a place: it is another one than it was."""

    reason = N_("This place was changed meanwhile, so nothing was done. It stands here as it is.")


class PlacesSettled(PlaceRefused):
    """The meeting has begun, is over, or does not take place."""

    reason = N_("The session has begun, is over or is cancelled, so places stay as they are.")


class NoPlaceFree(PlaceRefused):
    """One more than the meeting offers, and nobody has agreed to that."""

    reason = N_("The last place has just gone. You can still give one more than you offer.")


class NobodyElseWaits(PlaceRefused):
    """The place would be free, and theirs again."""

    reason = N_("Nobody else waits for this place, so it would be theirs again. You can cancel it.")


class CancelledLongAgo(PlaceRefused):
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
