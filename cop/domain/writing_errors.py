"""Refusals of what coordinators write to people."""

from cop.domain.broken import RuleBroken
from cop.words import N_


class PlaceholderUnknown(RuleBroken):
    """Something in braces stands for nothing."""

    field = "text"
    reason = N_("{%(found)s} stands for nothing. In braces there can be: %(known)s.")


class PlaceholderInSubject(PlaceholderUnknown):
    """The same, in the subject."""

    field = "subject"


class NobodyToWriteTo(RuleBroken):
    """Mail reaches nobody of those who were chosen."""

    field = "audience"
    reason = N_("Mail reaches none of them. Choose others to write to.")


class MorePeople(RuleBroken):
    """More people would get a message than its writer was told."""

    field = "asked"
    reason = N_(
        "Meanwhile there are more of them: it would go to %(num)s people, not to %(asked)s. "
        "Nothing was sent. Look once more, then send it."
    )


class PageTooOld(RuleBroken):
    """Nobody remembers any more whether what this page shows was sent already."""

    field = "asked"
    reason = N_(
        "This page was open for more than 12 hours, so nothing was sent. Look below whether it "
        "went out already, and once more at the mail; then send it."
    )
