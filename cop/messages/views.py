"""Console: write a message to an audience of a session, preview it, send it."""

from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from wtforms import StringField
from wtforms.validators import ValidationError

from cop.audit.views import note_viewing
from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.i18n import N_
from cop.meetings.schedule import Listing
from cop.meetings.views_common import meeting_or_404
from cop.messages import emails, messages
from cop.messages.messages import Audience
from cop.models.audit import Announcement
from cop.outbox import status
from cop.web import forms
from cop.web.blueprints import console
from cop.web.i18n import gettext, ngettext, pgettext
from cop.web.rendering import render, writer

AFTER_SESSION_AUDIENCES = (Audience.CAME, Audience.ABSENT)


class WriteForm(forms.ConsoleForm):
    """A message and its audience."""

    audience = StringField(filters=[forms.strip_to_one_line])
    subject = forms.line(150, forms.Required(N_("Enter a subject.")))
    text = forms.area(5000, forms.Required(N_("Enter a message.")))
    confirmed_count = StringField(filters=[forms.strip_to_one_line])  # as shown by the preview
    nonce = StringField(filters=[forms.strip_to_one_line])
    # The registration id of the person for whom the preview is shown.
    reader = StringField(filters=[forms.strip_to_one_line])

    def validate_audience(self, field: StringField) -> None:
        if field.data not in {*Audience}:
            raise ValidationError(gettext("Choose who gets this email."))

    def message(self, meeting_id: int) -> Announcement:
        """Make the message that the valid form describes."""
        audience, subject, text = self.audience.data, self.subject.data, self.text.data
        return Announcement(meeting_id=meeting_id, audience=audience, subject=subject, text=text)


@console.route("/sessions/<slug:slug>/write", methods=["GET", "POST"])
def write(slug: str) -> ResponseReturnValue:
    meeting, form = meeting_or_404(slug), WriteForm()
    if "change" in request.form or not form.validate_on_submit():
        return _edit(meeting, form)
    try:
        is_sent = "send" in request.form and _send(meeting, form)
        return redirect(url_for(".write", slug=slug), 303) if is_sent else _preview(meeting, form)
    except Refused as refusal:
        form.confirmed_count.errors = []
        form.refuse(refusal)
        return _edit(meeting, form)


def _edit(meeting: Listing, form: WriteForm) -> Response:
    with read_tx() as db_session:
        counts = messages.audience_counts(db_session, meeting.id)
        sent = messages.sent_messages(db_session, meeting.id)
    labels = _audience_labels()
    offered = [a for a in Audience if meeting.has_begun or a not in AFTER_SESSION_AUDIENCES]
    return render(
        "messages/write.html",
        meeting=meeting,
        form=form,
        audiences=[(name, labels[name], counts[name]) for name in offered],
        has_recipients=any(counts.values()),
        labels=labels,
        sent=sent,
        placeholders=emails.PLACEHOLDERS,
    )


def _preview(meeting: Listing, form: WriteForm) -> Response:
    """Show the email as one recipient gets it, and how many people it goes to."""
    message = form.message(meeting.id)
    messages.check(message)
    with read_tx() as db_session:
        people = messages.audience_members(db_session, meeting.id, message.audience)
    note_viewing("roster", meeting.id)
    reader = next((p for p in people if str(p.registration_id) == form.reader.data), people[0])
    letter = emails.letter(writer(), reader.recipient, meeting, message)
    prose = emails.fill_placeholders(writer(), reader.recipient, meeting, message.text)
    return render(
        "messages/preview.html",
        meeting=meeting,
        form=form,
        people=people,
        reader=reader,
        subject=letter.subject,
        body=Markup(status.redact_tokens(prose.html)),  # noqa: S704 - sanitized before
        text=status.redact_tokens(letter.text),
        audience=_audience_labels()[Audience(message.audience)],
        nonce=form.nonce.data or forms.new_token(),
    )


def _send(meeting: Listing, form: WriteForm) -> bool:
    """Send the message; return False if the coordinator has to confirm it again."""
    # It is stored for only a day that a message was sent. So an old page has to be confirmed again,
    # since it could send the message a second time.
    nonce = forms.nonce_of(form.nonce.data or "")
    if nonce is None:
        form.nonce.data = None
        form.confirmed_count.errors = [
            gettext(
                "Nothing was sent, because this page was open for more than 12 hours. Check that "
                "your message hasn't gone out already, then send it."
            )
        ]
        return False
    try:
        with write_tx() as db_session:
            count = messages.send(
                db_session,
                form.message(meeting.id),
                coordinator_id=g.coordinator.id,
                confirmed_count=forms.parse_integer(form.confirmed_count.data or "") or 0,
                nonce=nonce,
                writer=writer(),
            )
    except Refused as refusal:
        if refusal.field != form.confirmed_count.name:
            raise
        form.refuse(refusal)
        return False
    if count is None:
        flash(gettext("This message was already sent. Nothing was sent again."))
    else:
        sentence = ngettext(
            "Sending your message to %(num)s person.",
            "Sending your message to %(num)s people.",
            count,
        )
        flash(sentence)
    return True


def _audience_labels() -> dict[Audience, str]:
    return {
        Audience.HELD: pgettext("recipients of a message", "Registered"),
        Audience.WAITING: pgettext("recipients of a message", "On the waiting list"),
        Audience.REGISTERED: gettext("Registered or on the waiting list"),
        Audience.CAME: pgettext("recipients of a message", "Attended"),
        Audience.ABSENT: gettext("Registered, but did not attend"),
    }
