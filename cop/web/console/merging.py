"""Forms that two coordinators can have open at once: each writes what they changed, and no more."""

from collections.abc import Mapping
from hashlib import sha256
from textwrap import shorten

from flask import g
from wtforms import StringField

from cop.db import read_tx
from cop.domain import record
from cop.web.console.forms import ConsoleForm
from cop.web.forms import one_line
from cop.web.saying import gettext

SAID = 60  # letters of a text that one sentence can tell


class MergedForm(ConsoleForm):
    """A form with marks of the texts that it was filled with, and the version that they had.

    What was not changed on its page is never written: somebody else may have changed it meanwhile.
    """

    before = StringField(filters=[one_line])
    version = StringField(filters=[one_line])

    def __init__(self, there: Mapping[str, str], *, version: int) -> None:
        kept = {"before": " ".join(_marks(there)), "version": str(version)}
        super().__init__({**there, **kept})
        self.there, self.latest = there, version

    @property
    def changed(self) -> set[str]:
        """What was changed on this page."""
        return self._unlike_before({name: self.typed(name) for name in self.there})

    @property
    def clashes(self) -> list[str]:
        """What was changed here, and elsewhere meanwhile, to something else."""
        if self.version.data == str(self.latest):
            return []
        both = self.changed & self._unlike_before(self.there)
        return [name for name in self.there if name in both and self.said(name) != self.there[name]]

    def typed(self, name: str) -> str:
        """What the page says."""
        return self[name].data or ""

    def said(self, name: str) -> str:
        """What is to be: what was changed on this page, and the rest as it stands."""
        return self.typed(name) if name in self.changed else self.there[name]

    def in_words(self, name: str) -> str:
        """What stands there, as people read it."""
        return self.there[name]

    def shows_clash(self, *, meeting_id: int | None) -> bool:
        """Whether it clashes; then it shows what stands there now beside what was typed.

        Sent once more, it replaces that knowingly.
        """
        clashes = self.clashes
        if not clashes:
            return False
        for name, text in {name: self.said(name) for name in self.there}.items():
            self[name].data = text
        who = _who(meeting_id)
        for name in clashes:
            text = self.in_words(name)
            self[name].errors = [f"{who} {_now(text)}"]
            # The whole of it, where the sentence has not said that.
            self[name].description = text if _is_long(text) else ""
        self.before.data = " ".join(_marks(self.there))
        self.version.data = str(self.latest)
        return True

    def _unlike_before(self, texts: Mapping[str, str]) -> set[str]:
        before = set((self.before.data or "").split())
        return {each.partition(":")[0] for each in _marks(texts) if each not in before}


def mark(name: str, said: object) -> str:
    """A short mark of an answer, by which the form that comes back shows whether it was changed."""
    return f"{name}:{sha256(repr(said or '').encode()).hexdigest()[:12]}"


def _marks(texts: Mapping[str, str]) -> list[str]:
    return [mark(name, text) for name, text in texts.items()]


def _now(text: str) -> str:
    if not text:
        return gettext("Now it is empty. Save again to put yours in its place.")
    said = shorten(text, SAID, placeholder=" …")
    return gettext("Now it says “%(text)s”. Save again to put yours in its place.", text=said)


def _is_long(text: str) -> bool:
    return len(text) > SAID or "\n" in text


def _who(meeting_id: int | None) -> str:
    with read_tx() as db_session:
        by = record.last_by(db_session, meeting_id=meeting_id)
    if by is None:
        return gettext("Somebody else changed this while you were editing.")
    if by[0] == g.coordinator.id:
        return gettext("You changed this in another window while you were editing here.")
    return gettext("%(name)s changed this while you were editing.", name=by[1])
