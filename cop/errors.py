"""Refusals: sentences for the person who asked for what a rule does not allow."""


class Refused(Exception):  # noqa: N818 - a rule says no: nothing is in error
    """A request that goes against a rule, with the sentence that says so."""

    def __init__(self, sentence: str, *, field: str = "", **values: object) -> None:
        """Refuse with a sentence marked by `N_`, its values, and the form's field."""
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
    """A sign-in that no longer waits for its code."""


class LinkExpired(Exception):  # noqa: N818 - as above
    """A link to an account or a new password that is used, replaced or too old."""

    def __init__(self, sentence: str) -> None:
        """Explain it with a sentence marked by `N_`."""
        super().__init__(sentence)
        self.sentence = sentence


class TooManyAttempts(Refused):
    """Too many attempts; `values["seconds"]` is the time to wait. Status 429."""


class InvalidLink(Exception):  # noqa: N818 - as above
    """An emailed link that is invalid or revoked; one page answers all of them."""


class ReportGone(Exception):  # noqa: N818 - as above
    """The report shown was imported, deleted or replaced in the meantime."""
