"""Forms that two people may edit at once: each writes only its changes.

A hidden field holds a digest of each value that the page was rendered with. A value that was not
changed on the page is not written. If somebody else changed the same value meanwhile, their value
is shown before it is replaced.
"""

from collections.abc import Mapping
from hashlib import sha256
from textwrap import shorten
from typing import Any

from flask import g
from wtforms import StringField

from cop.i18n import N_
from cop.web.forms import ConsoleForm, strip_to_one_line
from cop.web.i18n import gettext

MAX_QUOTED = 60  # characters of a value that an error message shows
# Pairs of sentences: if there is a new value, and if it is empty now.
_BY_ANOTHER = (
    N_("%(name)s changed this to “%(text)s” while you were editing. Save again to use yours."),
    N_("%(name)s cleared this while you were editing. Save again to use yours."),
)
_IN_ANOTHER_WINDOW = (
    N_("You changed this to “%(text)s” in another window. Save again to use what's here."),
    N_("You cleared this in another window. Save again to use what's here."),
)


class EditConflictForm(ConsoleForm):
    """A form filled with the values of a row; subclasses define `form_values`."""

    before = StringField(filters=[strip_to_one_line])  # hidden: digests of the values on the page

    def __init__(self, row: Any) -> None:
        self.stored = self.form_values(row)
        super().__init__({**self.stored, "before": " ".join(_digests(self.stored))})

    def form_values(self, row: Any) -> Mapping[str, Any]:
        """Return the stored values as the fields show them, by field name."""
        raise NotImplementedError

    @property
    def changed(self) -> set[str]:
        """Return the names of the fields that were changed on this page."""
        return self._differing_from_page({name: self[name].data for name in self.stored})

    def value(self, name: str) -> str:
        """Return the submitted value if it was changed on this page, else the stored one."""
        return (self[name].data or "") if name in self.changed else str(self.stored[name])

    def has_conflict(self, row: Any, *, editor: tuple[int, str] | None) -> bool:
        """Show the values that somebody else changed, too; return whether any.

        `row` is the row as it is now, locked. If the form is submitted once more, it replaces the
        values shown. `editor` is the id and name of the coordinator who edited the row last.
        """
        stored, changed = self.form_values(row), self.changed
        self.stored = stored
        changed_elsewhere = self._differing_from_page(stored)
        conflicts = [
            name
            for name in stored
            if name in changed & changed_elsewhere
            and _digest(name, stored[name]) != _digest(name, self[name].data)
        ]
        if not conflicts:
            return False
        # The page is shown again with the values as they are stored now, except what was changed.
        for name in stored.keys() - changed:
            self[name].data = stored[name]
        self.before.data = " ".join(_digests(stored))
        for name in conflicts:
            text = self.stored_text(name)
            self[name].errors = [_conflict_text(editor, text)]
            is_cut = len(text) > MAX_QUOTED or "\n" in text
            self[name].description = text if is_cut else ""
        return True

    def stored_text(self, name: str) -> str:
        """Return a stored value as text for people."""
        value = self.stored[name]
        return ", ".join(value) if isinstance(value, list) else str(value)

    def _differing_from_page(self, values: Mapping[str, Any]) -> set[str]:
        """Return the names of values that differ from those on the page."""
        digests = (self.before.data or "").split()
        return {name for name, value in values.items() if _digest(name, value) not in digests}


def _digests(values: Mapping[str, Any]) -> list[str]:
    return [_digest(name, value) for name, value in values.items()]


def _digest(name: str, value: object) -> str:
    return f"{name}:{sha256(repr(value or '').encode()).hexdigest()[:12]}"


def _conflict_text(editor: tuple[int, str] | None, text: str) -> str:
    id_, name = editor or (None, gettext("Someone"))
    changed, cleared = _IN_ANOTHER_WINDOW if id_ == g.coordinator.id else _BY_ANOTHER
    quoted = shorten(text, MAX_QUOTED, placeholder=" …")
    return gettext(changed if text else cleared, name=name, text=quoted)
