"""Who writes a letter: the community's voice, in one language, to one person."""

from dataclasses import dataclass, replace
from datetime import datetime

from cop.community.community import CommunityFacts
from cop.dates import DateFormatter
from cop.i18n import N_, plural, translator
from cop.links import Links
from cop.mail.letter import Block, LetterDraft, Link
from cop.mail.recipients import Recipient


@dataclass(frozen=True)
class LetterWriter:
    """What every letter needs to know."""

    community: CommunityFacts
    links: Links
    now: datetime
    language: str = "en"

    def to(self, recipient: Recipient) -> "LetterWriter":
        """The same writer in the recipient's language."""
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
        """The address of the member's own page, or of something below it."""
        return self.links.member(to.owner, below, on=self.now.date())

    def member_draft(
        self, to: Recipient, subject: str, *blocks: Block, why: str, also: tuple[Link, ...] = ()
    ) -> LetterDraft:
        """A letter to a member; the small print says why it came and how to undo that."""
        small_print: list[str | Link] = [why, *also]
        if not to.is_verified:
            small_print.append(
                Link(self.translate(N_("Not you? Remove this")), self.my_page(to, "/erase"))
            )
        small_print.append(
            Link(
                self.translate(N_("What we know about you, and what becomes of it")),
                self.my_page(to),
            )
        )
        name = to.display_name
        hello = (
            self.translate(N_("Hello %(name)s,"), name=name)
            if name
            else self.translate(N_("Hello,"))
        )
        return LetterDraft(
            self.language, subject, hello, blocks, self._signature, tuple(small_print)
        )

    def coordinator_draft(self, subject: str, *blocks: Block, why: str = "") -> LetterDraft:
        """A letter to a coordinator, which names no member."""
        usual = N_("You get this as a coordinator of %(name)s.")
        why = why or self.translate(usual, name=self.community.name)
        return LetterDraft(
            self.language,
            subject,
            self.translate(N_("Hello,")),
            blocks,
            (self.community.name,),
            (why,),
        )

    @property
    def _signature(self) -> tuple[str, ...]:
        found = self.community
        return found.contact_name, f"{found.contact_role}, {found.host_name}", found.name
