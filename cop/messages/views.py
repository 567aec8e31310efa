"""Writing to those of a session: first what and to whom, then a look at it, then it goes."""

from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from wtforms import StringField
from wtforms.validators import ValidationError

from cop.audit.views import note_viewing
from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.i18n import N_
from cop.mail.recipients import Registered
from cop.meetings.schedule import Listing
from cop.meetings.views_common import meeting_or_404
from cop.messages import emails, messages
from cop.messages.messages import Audience, Message
from cop.outbox import status
from cop.web.blueprints import console
from cop.web.forms import (
    ConsoleForm,
    Required,
    area,
    line,
    new_token,
    nonce_of,
    parse_integer,
    strip_to_one_line,
)
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import render, writer

AUDIENCES = {
    Audience.HELD: N_("Who holds a place"),
    Audience.WAITING: N_("Who waits"),
    Audience.REGISTERED: N_("Who holds a place or waits"),
    Audience.CAME: N_("Who came"),
    Audience.ABSENT: N_("Who held a place and did not come"),
}
AFTER_SESSION_AUDIENCES = (Audience.CAME, Audience.ABSENT)


class WriteForm(ConsoleForm):
    """What to write, and to whom."""

    audience = StringField(filters=[strip_to_one_line])
    subject = line(150, Required(N_("Write what it is about.")))
    text = area(5000, Required(N_("Write what you want to tell them.")))
    asked = StringField(filters=[strip_to_one_line])  # how many the last page said that it goes to
    nonce = StringField(filters=[strip_to_one_line])
    reader = StringField(
        filters=[strip_to_one_line]
    )  # as whom the preview is read, by the registration

    def validate_audience(self, field: StringField) -> None:
        if field.data not in AUDIENCES:
            raise ValidationError(gettext("Choose whom to write to."))

    @property
    def message(self) -> Message:
        """What was written; only once the form is valid."""
        said = Audience(self.audience.data or ""), self.subject.data or "", self.text.data or ""
        return Message(*said)


@console.get("/sessions/<slug:slug>/write")
def write(slug: str) -> Response:
    return _show(meeting_or_404(slug), WriteForm())


@console.post("/sessions/<slug:slug>/write")
def send_write(slug: str) -> ResponseReturnValue:
    found = meeting_or_404(slug)
    form = WriteForm()
    if "change" in request.form:
        return _show(found, form)
    if not form.validate():
        return _show(found, form)
    try:
        if "send" in request.form:
            return _sent(found, _send(found, form))
        return _preview(found, form)
    except Refused as refusal:
        form.refuse(refusal)
        return _show_resend(found, form, is_sound=refusal.field == form.asked.name)


def _show_resend(found: Listing, form: WriteForm, *, is_sound: bool) -> Response:
    """Show the mail once more where only its sending was refused, else the form."""
    if is_sound:
        try:
            return _preview(found, form)
        except Refused as refusal:
            form.asked.errors = []
            form.refuse(refusal)
    return _show(found, form)


def _send(found: Listing, form: WriteForm) -> int | None:
    # That it was sent is remembered for a day: an older page could send it once more.
    nonce = nonce_of(form.nonce.data or "")
    if nonce is None:
        form.nonce.data = None
        raise Refused(
            N_(
                "This page was open for more than 12 hours, so nothing was sent. Look below "
                "whether it went out already, and once more at the mail; then send it."
            ),
            field="asked",
        )
    with write_tx() as db_session:
        return messages.send(
            db_session,
            found.id,
            form.message,
            by=g.coordinator,
            asked=parse_integer(form.asked.data or "") or 0,
            nonce=nonce,
            writer=writer(),
        )


def _sent(found: Listing, mails: int | None) -> ResponseReturnValue:
    if mails is None:
        flash(gettext("This had been sent already. Nothing was sent again."))
    else:
        flash(ngettext("It goes to %(num)s person now.", "It goes to %(num)s people now.", mails))
    return redirect(url_for("console.write", slug=found.slug), 303)


def _show(found: Listing, form: WriteForm) -> Response:
    with read_tx() as db_session:
        counts = messages.audience_counts(db_session, found.id)
        written = messages.sent_messages(db_session, found.id)
    offered = [name for name in AUDIENCES if found.has_begun or name not in AFTER_SESSION_AUDIENCES]
    return render(
        "messages/write.html",
        meeting=found,
        form=form,
        audiences=[(name, AUDIENCES[name], counts[name]) for name in offered],
        anybody=any(counts.values()),
        said=AUDIENCES,
        written=written,
        placeholders=emails.PLACEHOLDERS,
    )


def _preview(found: Listing, form: WriteForm) -> Response:
    """Show the mail as one of them gets it, and to how many it goes."""
    messages.check(form.message)
    people = _people(found, form.message)
    reader = next((p for p in people if str(p.registration_id) == form.reader.data), people[0])
    voice, to, message = writer(), reader.recipient, form.message
    letter = emails.letter(voice, to, found, subject=message.subject, text=message.text)
    body = emails.fill_placeholders(voice, to, found, message.text).html
    return render(
        "messages/preview.html",
        meeting=found,
        form=form,
        people=people,
        reader=reader,
        subject=letter.subject,
        body=Markup(status.redact_tokens(body)),  # noqa: S704 - it was one before
        text=status.redact_tokens(letter.text),
        audience=AUDIENCES[message.audience],
        nonce=form.nonce.data or new_token(),
    )


def _people(found: Listing, message: Message) -> list[Registered]:
    """Who would get it; to look at it is to see their names."""
    with read_tx() as db_session:
        people = messages.audience(db_session, found.id, message.audience)
    note_viewing("roster", found.id)
    return people
