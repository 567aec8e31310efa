"""The writer of emails: language, links and signature."""

from dataclasses import dataclass, replace
from datetime import datetime

from cop.community.community import CommunityFacts
from cop.dates import DateFormatter
from cop.i18n import N_, catalog
from cop.links import Links
from cop.mail.letter import Block, Letter, Link, render
from cop.mail.recipients import Recipient


@dataclass(frozen=True)
class LetterWriter:
    """The context that composing any email or calendar needs."""

    community: CommunityFacts
    links: Links
    now: datetime
    language: str = "en"

    def to(self, recipient: Recipient) -> "LetterWriter":
        """Return this writer in the recipient's language."""
        return replace(self, language=recipient.language)

    def translate(self, sentence: str, **values: object) -> str:
        """Translate a marked sentence and fill in its values."""
        return catalog(self.language).gettext(sentence) % values

    def pgettext(self, context: str, text: str) -> str:
        """Translate a short text whose translation depends on where it is shown."""
        return catalog(self.language).pgettext(context, text)

    def ngettext(self, singular: str, plural: str, num: int, **values: object) -> str:
        """Translate one of two marked sentences by a number, inserted as `num`."""
        return catalog(self.language).ngettext(singular, plural, num) % {"num": num, **values}

    @property
    def dates(self) -> DateFormatter:
        return DateFormatter(self.language, self.community.zone_info, self.now)

    def my_page(self, to: Recipient, below: str = "") -> str:
        """Build the address of the member's own page, or of a page below it."""
        return self.links.member(to.owner, below, on=self.now.date())

    def member_letter(
        self,
        to: Recipient,
        subject: str,
        *blocks: Block,
        why: str = "",
        stop: Link | None = None,
        calendar: str | None = None,
    ) -> Letter:
        """Compose an email to a member, with the reason and how to stop it below.

        `why`: the reason, unless it is their registration. `stop`: the link to unsubscribe.
        """
        _, community = self.translate, self.community
        registered = N_("You're getting this because this address was registered for %(name)s.")
        small_print: list[str | Link] = [why or _(registered, name=community.short_name)]
        if stop:
            small_print.append(stop)
        if not to.is_verified:
            small_print.append(Link(_("Not you? Remove this address"), self.my_page(to, "/erase")))
        your_data = _("Your data and how long we keep it")
        small_print.append(Link(your_data, self.my_page(to)))
        greeting = _("Hello %(name)s,", name=to.display_name) if to.display_name else _("Hello,")
        role = f"{community.contact_role}, {community.host_name}"
        signature = (community.contact_name, role, community.name)
        letter = render(
            self.language, subject, greeting, blocks, signature=signature, small_print=small_print
        )
        return replace(letter, calendar=calendar, unsubscribe_url=stop.url if stop else None)

    def coordinator_letter(self, subject: str, *blocks: Block, why: str = "") -> Letter:
        """Compose an email to a coordinator; it must not name a member."""
        _, name = self.translate, self.community.name
        why = why or _("You're getting this as a coordinator of the %(name)s.", name=name)
        return render(
            self.language, subject, _("Hello,"), blocks, signature=(name,), small_print=(why,)
        )
