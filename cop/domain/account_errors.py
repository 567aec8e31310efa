"""Refusals of what coordinators decide about accounts, beside those of `errors`."""

from cop.domain.errors import RuleBroken, SignInDelayed
from cop.words import N_


class RightMissing(RuleBroken):
    """Only who may take lists away can give this right, or take it."""

    reason = N_(
        "Whether somebody may take lists away, or is removed who may, is decided by those who may. "
        "Ask one of them."
    )


class LastCoordinator(RuleBroken):
    """Nobody could use the console any more."""

    reason = N_("This is the only account. Invite somebody else first.")


class LastWhoMayExport(RuleBroken):
    """Nobody could take a list away any more, or give this right to anybody."""

    reason = N_("Nobody else may take lists away. Give this right to somebody else first.")


class InvitationUnusable(RuleBroken):
    """The invitation is unknown, used, withdrawn or older than a week."""

    reason = N_(
        "This invitation has been used or withdrawn, a newer one was sent, or it is older than "
        "7 days. Ask whoever invited you for another one."
    )


class PasswordWrong(RuleBroken):
    """It is not the password of who is signed in."""

    field = "old"
    reason = N_("This is not your password. Check it, and whether Caps Lock is on.")


class CodeRefused(RuleBroken):
    """It is not the code of this moment, was used already, or is no recovery code."""

    field = "code"
    reason = N_(
        "This code does not fit, or has been used. Wait for the next one in your app; the clock of "
        "your phone has to be right."
    )


class CodeDelayed(SignInDelayed):
    """Too many codes did not fit just now."""

    field = "code"
    reason = N_("Several codes did not fit. Wait %(seconds)s seconds, then write the newest one.")


class SecondFactorSet(RuleBroken):
    """There is a second factor; it has to be turned off before there can be another."""

    field = "code"
    reason = N_("Two-factor sign-in is on already. Turn it off first to use another phone.")


class HalfSignInOver(RuleBroken):
    """No device waits for a code: it waited too long, or is signed in."""

    field = "email"
    reason = N_("Sign in with your password once more, and write the code within 10 minutes.")
