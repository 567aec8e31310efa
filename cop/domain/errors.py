"""Refusals: each is a class with the sentence that people read, and the field it belongs to."""

from cop.domain.broken import RuleBroken as RuleBroken  # noqa: PLC0414 - said again
from cop.domain.meeting_errors import *  # noqa: F403 - everybody has all refusals from here
from cop.domain.place_errors import *  # noqa: F403
from cop.domain.report_errors import *  # noqa: F403
from cop.domain.writing_errors import *  # noqa: F403
from cop.words import N_


class MeetingUnknown(RuleBroken):
    """No meeting has this slug."""

    reason = N_(
        "One of the sessions you chose is not on the schedule. Choose among those listed below."
    )


class MeetingOver(RuleBroken):
    """Registration for this meeting has ended."""

    reason = N_("The session on %(date)s is over. Choose another one below.")


class MeetingCancelled(RuleBroken):
    """The meeting will not take place."""

    reason = N_("The session on %(date)s is cancelled. Choose another one below.")


class MeetingFull(RuleBroken):
    """The meeting has begun, every place is taken, and its waiting list has ended."""

    reason = N_("The session on %(date)s has begun and is full. Choose another one below.")


class NothingPlanned(RuleBroken):
    """Every upcoming meeting was asked for, and there is none."""

    reason = N_("No session is planned at the moment. Please look at the schedule again soon.")


class SetUpLinkUnusable(RuleBroken):
    """The set-up link is unknown, used or older than a day, or a coordinator exists."""

    reason = N_(
        "This set-up link has been used, or is older than 24 hours. Starting the site again prints "
        "a new one as long as there is no coordinator."
    )


class PasswordRefused(RuleBroken):
    """The password is too short, too long, or easy to guess."""

    field = "password"
    reason = N_(
        "Use 15 to 128 characters, for example four or five words that do not belong together."
    )


class PasswordGuessable(PasswordRefused):
    """The password is among those that are tried first."""

    reason = N_(
        "This password is among the first that somebody would try. Four or five words that do not "
        "belong together are easy to remember and hard to guess."
    )


class CoordinatorExists(RuleBroken):
    """A coordinator with this address has an account already."""

    field = "email"
    reason = N_("There is an account for this address already.")


class CoordinatorUnknown(RuleBroken):
    """Nobody with this address has an account."""

    field = "email"
    reason = N_("There is no account for this address.")


class AddressRefused(RuleBroken):
    """This is not an email address."""

    field = "email"
    reason = N_("Write an email address like name@example.org.")


class SignInRefused(RuleBroken):
    """The address and the password do not belong together."""

    field = "email"
    reason = N_(
        "This address and this password do not belong together. Check both, and whether Caps Lock "
        "is on."
    )


class SignInDelayed(RuleBroken):
    """Signing in has failed too often just now."""

    field = "email"
    reason = N_("Signing in failed several times. Wait %(seconds)s seconds, then try again.")


class RealDataPresent(RuleBroken):
    """Demonstration data would be mixed with registrations that are there."""

    reason = N_(
        "There are real registrations in this database. Demonstration data goes into a database of "
        "its own: set COP_INSTANCE to another folder."
    )


class EndsBeforeStart(RuleBroken):
    """The meeting would end before it begins."""

    field = "ends"
    reason = N_("The end is before the start. Choose a later end, or an earlier start.")


class CapacityRefused(RuleBroken):
    """A meeting without any place."""

    field = "capacity"
    reason = N_("Offer at least one place, or leave this empty for no limit.")


class JoinAddressRefused(RuleBroken):
    """The join address is none that is safe to send people to."""

    field = "join_url"
    reason = N_("Write the whole address, beginning with https://, as Zoom shows it.")


class MovedIntoPast(RuleBroken):
    """The meeting would be over already."""

    field = "date"
    reason = N_("At that time the session would be over already. Choose a later one.")


class NothingToPublish(RuleBroken):
    """Neither takeaways nor a recording."""

    field = "takeaways"
    reason = N_("Write what was taken away, or give the address of the recording.")


class PasswordLinkUnusable(RuleBroken):
    """The link to a new password is unknown, used, or older than an hour."""

    reason = N_("This link has been used, or is older than an hour. You can ask for a new one.")


class LinkUnusable(RuleBroken):
    """The link was made useless, is too old, belongs to nobody any more, or was never ours."""

    field = "email"
    reason = N_("This link does not work any more. Ask for a new one below.")


class LinksUsedUp(RuleBroken):
    """As many mails with their link as may go out in a day have gone out."""

    field = "links"
    reason = N_(
        "Several mails with your link have gone out today already. Nothing was changed: please "
        "try again tomorrow."
    )


class MailComesBack(RuleBroken):
    """Nothing can be mailed to an address that refuses mail."""

    field = "links"
    reason = N_(
        "Mail to your address came back, so a new link would not reach you. Nothing was changed."
    )


class HostRefused(RuleBroken):
    """A site that cannot be on the list of those that may show our pages."""

    field = "host"


class HostMissing(HostRefused):
    """Nothing was typed."""

    reason = N_("Write the address of a site, like https://www.example.org.")


class HostNotHttps(HostRefused):
    """Anybody on the way can change a page that is not read over HTTPS, and the form in it."""

    reason = N_(
        "Only a site that begins with https:// can show the form: what is typed there could "
        "otherwise be read on the way."
    )


class HostWildcard(HostRefused):
    """It stands for sites that nobody here has looked at."""

    reason = N_(
        "Write each site out, without a star: nobody knows who has the others. For Google Sites "
        "and the Squarespace editor there are the choices below."
    )


class HostWithUser(HostRefused):
    """There is a name or a password in it."""

    reason = N_("Leave out what stands before the @: a site is known by its name alone.")


class HostWithPath(HostRefused):
    """It is the address of a page, and browsers compare sites."""

    reason = N_("Leave out what comes after the name of the site: write %(host)s.")


class HostOfPreset(HostRefused):
    """Alone it is not enough, and it would stand where nobody sees it: presets are listed apart."""

    reason = N_("Pages at %(host)s need more than this one site: allow %(name)s below instead.")


class HostIsNumber(HostRefused):
    """Browsers compare names only."""

    reason = N_("Write the site's name, not its number: browsers compare names only.")


class HostUnreadable(HostRefused):
    """No site can have this name."""

    reason = N_(
        "This is no name that a site can have. Look for a missing dot, a space or a comma, and "
        "write it like https://www.example.org."
    )


class HostListed(HostRefused):
    """It is on the list."""

    reason = N_("%(host)s is on the list already.")
