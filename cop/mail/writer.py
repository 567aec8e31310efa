"""The writer of emails: language, links and signature of the community."""

from dataclasses import dataclass, replace
from datetime import datetime

from cop.community.community import CommunityFacts
from cop.dates import DateFormatter
from cop.i18n import plural, translator
from cop.links import Links
from cop.mail.letter import Block, LetterDraft, Link
from cop.mail.recipients import Recipient


@dataclass(frozen=True)
class LetterWriter:
    """What composing any email, or writing any calendar, needs."""

    community: CommunityFacts
    links: Links
    now: datetime
    language: str = "en"

    def to(self, recipient: Recipient) -> "LetterWriter":
        """Return this writer in the recipient's language."""
        return replace(self, language=recipient.language)

    def translate(self, sentence: str, **values: object) -> str:
        """Translate a marked sentence and fill in its values."""
        return translator(self.language)(sentence) % values

    def translate_plural(self, one: str, many: str, number: int) -> str:
        """Translate one of two marked sentences by a number, which they may name as `num`."""
        return plural(self.language)(one, many, number) % {"num": number}

    @property
    def dates(self) -> DateFormatter:
        return DateFormatter(self.language, self.community.zone_info, self.now)

    def my_page(self, to: Recipient, below: str = "") -> str:
        """Build the address of the member's own page, or of a page below it."""
        return self.links.member(to.owner, below, on=self.now.date())

    def member_draft(
        self, to: Recipient, subject: str, *blocks: Block, why: str, also: tuple[Link, ...] = ()
    ) -> LetterDraft:
        """Draft an email to a member; the small print says why they get it and how to stop it."""
        _, my_page = self.translate, self.my_page(to)
        small_print: list[str | Link] = [why, *also]
        if not to.is_verified:
            small_print.append(Link(_("Not you? Remove this"), self.my_page(to, "/erase")))
        small_print.append(Link(_("What we know about you, and what becomes of it"), my_page))
        name = to.display_name
        greeting = _("Hello %(name)s,", name=name) if name else _("Hello,")
        return LetterDraft(
            self.language, subject, greeting, blocks, self._signature, tuple(small_print)
        )

    def coordinator_draft(self, subject: str, *blocks: Block, why: str = "") -> LetterDraft:
        """Draft an email to a coordinator; it must name no member."""
        _, name = self.translate, self.community.name
        why = why or _("You get this as a coordinator of %(name)s.", name=name)
        return LetterDraft(self.language, subject, _("Hello,"), blocks, (name,), (why,))

    @property
    def _signature(self) -> tuple[str, ...]:
        host = self.community
        return host.contact_name, f"{host.contact_role}, {host.host_name}", host.name
