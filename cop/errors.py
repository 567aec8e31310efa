"""Exceptions for what a rule does not allow, with a sentence for the user."""


class Refused(Exception):  # noqa: N818 - a refusal, not a bug
    """A request that breaks a rule, with the sentence that tells the user so."""

    def __init__(self, sentence: str, *, field: str = "", **values: object) -> None:
        """Take a sentence marked by `N_`, its values, and its form field."""
        super().__init__(sentence % values if values else sentence)
        self.sentence = sentence
        self.field = field
        self.values = values


class InvalidAddress(Refused):
    """A text that is not an email address."""


class InvalidCredentials(Refused):
    """An email address and a password that do not match."""


class NotPermitted(Refused):
    """An action that the coordinator has no right to; answered with status 403."""


class SignInExpired(Refused):
    """A sign-in whose two-factor code came too late, or that does not exist."""


class LinkExpired(Exception):  # noqa: N818 - as above
    """A link to an account or a new password that is used, replaced or old."""

    def __init__(self, sentence: str) -> None:
        """Take a sentence marked by `N_`, which explains it."""
        super().__init__(sentence)
        self.sentence = sentence


class TooManyAttempts(Refused):
    """Too many attempts; `values["seconds"]` is the time to wait. Status 429."""


class InvalidLink(Exception):  # noqa: N818 - as above
    """An emailed link that is invalid or revoked; the answer does not tell which."""


class ReportGone(Exception):  # noqa: N818 - as above
    """The attendance report shown was imported, deleted or replaced in the meantime."""
