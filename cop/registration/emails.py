"""Compose the emails to members about their registrations.

An email to an unverified address contains nothing that was typed into a form.
"""

from collections.abc import Mapping, Sequence

from cop.calendar import calendar
from cop.i18n import N_
from cop.mail.letter import Block, Button, Letter, Link
from cop.mail.recipients import Recipient, Registered
from cop.mail.writer import LetterWriter
from cop.meetings.emails import date_of, preparation, session_block
from cop.meetings.locking import MeetingFacts


def access_need(writer: LetterWriter, meeting: MeetingFacts) -> Letter:
    """Tell coordinators of an access request; only the console shows its content."""
    _ = writer.translate
    return writer.coordinator_letter(
        _("Somebody asked for access on %(date)s", date=date_of(writer, meeting)),
        _("Somebody who is registered said what would help them take part:"),
        session_block(writer, meeting),
        Button(_("See what to arrange"), f"{roster_url(writer, meeting)}/access"),
    )


def roster_url(writer: LetterWriter, meeting: MeetingFacts) -> str:
    """The console page of a session's roster."""
    return writer.links.console(f"/sessions/{meeting.slug}")


def calendar_attachment(
    writer: LetterWriter, meetings: Sequence[MeetingFacts], join_urls: Mapping[int, str]
) -> str | None:
    """The calendar file to attach, with one entry and join link per session."""
    if not meetings:
        return None
    return calendar.attachment(writer, meetings, join_urls)


def join_link(writer: LetterWriter, join_url: str) -> Link:
    """The recipient's own join link."""
    return Link(writer.translate(N_("Your way in, from 15 minutes before")), join_url)


def cancel_link(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Link:
    """The link to the page that cancels the recipient's registration."""
    url = writer.links.cancel(to.owner, meeting.slug, on=writer.now.date())
    return Link(writer.translate(N_("I cannot come")), url)


def confirmation(
    writer: LetterWriter,
    to: Recipient,
    *,
    held: Sequence[MeetingFacts],
    waiting: Sequence[MeetingFacts],
    registration_ids: Mapping[int, int],
) -> Letter:
    """Confirm everything selected in one form; `registration_ids` are by meeting id."""
    writer = writer.to(to)
    _ = writer.translate
    join_urls = {
        meeting_id: writer.links.join(to.owner, registration_id)
        for meeting_id, registration_id in registration_ids.items()
    }
    blocks: list[Block] = []
    if held:
        one, many = N_("You hold a place at this session:"), N_("You hold a place at these:")
        blocks.append(writer.ngettext(one, many, len(held)))
        blocks += [_registered_session(writer, meeting, join_urls[meeting.id]) for meeting in held]
    if waiting:
        sentence = _(
            "You are on the waiting list here, in the order of joining. When a place becomes free "
            "for you, a mail says so at once:"
        )
        blocks += [sentence, *[session_block(writer, meeting) for meeting in waiting]]
    verified, unverified = N_("See or change your registration"), N_("This is me: see my page")
    blocks.append(Button(_(verified if to.is_verified else unverified), writer.my_page(to)))
    if held:
        blocks.append(_decline_text(writer))
    subject, file = _subject(writer, held, waiting), calendar_attachment(writer, held, join_urls)
    return writer.member_letter(to, subject, *blocks, calendar=file)


def promoted(writer: LetterWriter, person: Registered, meeting: MeetingFacts) -> Letter:
    """Tell somebody that they moved from the waiting list to a place."""
    to = person.recipient
    writer = writer.to(to)
    _, join_url = writer.translate, writer.links.join(to.owner, person.registration_id)
    return writer.member_letter(
        to,
        _("A place for you: %(date)s", date=date_of(writer, meeting)),
        _("A place became free, and it is yours:"),
        _registered_session(writer, meeting, join_url),
        _("If you cannot come any more, please say so: the next in line gets the place."),
        Button(_("See or change your registration"), writer.my_page(to)),
        cancel_link(writer, to, meeting),
        _decline_text(writer),
        calendar=calendar_attachment(writer, [meeting], {meeting.id: join_url}),
    )


def my_link(
    writer: LetterWriter, to: Recipient, meetings: Sequence[MeetingFacts], *, posted_again: bool
) -> Letter:
    """Compose the email with a page link: requested, or after registering again."""
    writer = writer.to(to)
    _ = writer.translate
    registered_again = N_(
        "Somebody, most likely you, registered again with this address. You are registered "
        "already, and nothing was changed. Your page changes or cancels it."
    )
    requested = N_("Somebody, most likely you, asked for the link to your page.")
    return writer.member_letter(
        to,
        _("Your link: %(name)s", name=writer.community.short_name),
        _(registered_again if posted_again else requested),
        *[session_block(writer, meeting) for meeting in meetings],
        Button(_("Open your page"), writer.my_page(to)),
        _("It works for a year. Do not pass it on: it opens your page to anybody."),
        why=_("If it was not you, you need not do anything."),
    )


def confirm_list(writer: LetterWriter, to: Recipient) -> Letter:
    """Ask for confirmation that the recipient wants email about future sessions."""
    writer = writer.to(to)
    _ = writer.translate
    request = _(
        "Somebody, most likely you, ticked that we may write to this address about future "
        "sessions of the %(name)s. We do so only once you confirm it.",
        name=writer.community.name,
    )
    return writer.member_letter(
        to,
        _("Please confirm: mail about future sessions"),
        request,
        Button(_("Yes, write to me"), writer.links.confirm_list(to.owner)),
        why=_("If you do nothing, you get no such mail. You can leave at any time."),
    )


def _registered_session(writer: LetterWriter, meeting: MeetingFacts, join_url: str) -> Block:
    """Compose the block of a session that the recipient is registered for."""
    links = (
        join_link(writer, join_url),
        Link(writer.translate(N_("Add to Google Calendar")), calendar.google_link(writer, meeting)),
        Link(writer.translate(N_("Add to Outlook")), calendar.outlook_link(writer, meeting)),
    )
    return session_block(writer, meeting, *preparation(writer, meeting), links=links)


def _decline_text(writer: LetterWriter) -> str:
    """Explain that declining in the calendar does not cancel the registration."""
    sentence = N_(
        "The calendar entry is attached. Declining it in your calendar does not tell us: your "
        "page does."
    )
    return writer.translate(sentence)


def _subject(
    writer: LetterWriter, held: Sequence[MeetingFacts], waiting: Sequence[MeetingFacts]
) -> str:
    if len(held) > 1:
        one = N_("You are registered for %(num)s session")
        many = N_("You are registered for %(num)s sessions")
        return writer.ngettext(one, many, len(held))
    if held:
        return writer.translate(N_("You are registered: %(date)s"), date=date_of(writer, held[0]))
    sentence = N_("You are on the waiting list: %(date)s")
    return writer.translate(sentence, date=date_of(writer, waiting[0]))
