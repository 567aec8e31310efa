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
from cop.models.registration import RegistrationStatus


def access_need(writer: LetterWriter, meeting: MeetingFacts) -> Letter:
    """Tell coordinators of an access request; only the console shows its content."""
    _ = writer.translate
    return writer.coordinator_letter(
        _("New access request for %(date)s", date=date_of(writer, meeting)),
        _("Someone told us what would help them take part in this session:"),
        session_block(writer, meeting),
        Button(_("See access needs"), f"{roster_url(writer, meeting)}/access"),
    )


def roster_url(writer: LetterWriter, meeting: MeetingFacts) -> str:
    """The console page of a session's roster."""
    return writer.links.console(f"/sessions/{meeting.slug}")


def join_link(writer: LetterWriter, join_url: str) -> Link:
    """The recipient's own join link."""
    text = N_("Join on %(place)s (opens 15 minutes early)")
    return Link(writer.translate(text, place=writer.community.location), join_url)


def cancel_link(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Link:
    """The link to the page that cancels the recipient's registration."""
    url = writer.links.cancel(to.owner, meeting.slug, on=writer.now.date())
    return Link(writer.translate(N_("Can't make it? Cancel my spot")), url)


def confirmation(
    writer: LetterWriter,
    to: Recipient,
    *,
    held: Sequence[MeetingFacts],
    waiting: Sequence[MeetingFacts],
    positions: Mapping[int, int],
    registration_ids: Mapping[int, int],
) -> Letter:
    """Confirm everything selected in one form; positions and ids are by meeting id."""
    writer = writer.to(to)
    _ = writer.translate
    url = writer.links.join
    join_urls = {meeting_id: url(to.owner, id_) for meeting_id, id_ in registration_ids.items()}
    blocks: list[Block] = []
    if held:
        blocks.append(_("You're registered for:"))
        blocks += [_registered_session(writer, meeting, join_urls[meeting.id]) for meeting in held]
    if waiting:
        blocks.append(_("You're on the waiting list for:"))
        position = N_("You're number %(position)s on the waiting list.")
        blocks += [
            session_block(writer, meeting, _(position, position=positions[meeting.id]))
            for meeting in waiting
        ]
        blocks.append(_("We'll email you if a spot opens."))
    blocks.append(Button(_("View or change my registration"), writer.my_page(to)))
    if held:
        blocks.append(_decline_text(writer))
    subject, file = _subject(writer, held, waiting), calendar.attachment(writer, held, join_urls)
    return writer.member_letter(to, subject, *blocks, calendar=file)


def promoted(writer: LetterWriter, person: Registered, meeting: MeetingFacts) -> Letter:
    """Tell somebody that they moved from the waiting list to a spot."""
    to = person.recipient
    writer = writer.to(to)
    _, join_url = writer.translate, writer.links.join(to.owner, person.registration_id)
    return writer.member_letter(
        to,
        _("You now have a spot on %(date)s", date=date_of(writer, meeting)),
        _("A spot opened, and it's yours. You're registered for:"),
        _registered_session(writer, meeting, join_url),
        Button(_("View or change my registration"), writer.my_page(to)),
        cancel_link(writer, to, meeting),
        _decline_text(writer),
        calendar=calendar.attachment(writer, [meeting], {meeting.id: join_url}),
    )


def cancelled(
    writer: LetterWriter, person: Registered, meeting: MeetingFacts, *, by_coordinator: bool
) -> Letter:
    """Tell somebody that they no longer have their spot, or are off the waiting list."""
    to = person.recipient
    writer = writer.to(to)
    _, is_held = writer.translate, person.status == RegistrationStatus.HELD
    if is_held:
        subject = N_("Your registration for %(date)s is canceled")
        plain = N_("Your registration for this session is canceled:")
        by_us = N_("The coordinators canceled your registration for this session:")
    else:
        subject = N_("You're no longer on the waiting list for %(date)s")
        plain = N_("You're no longer on the waiting list for this session:")
        by_us = N_("The coordinators took you off the waiting list for this session:")
    blocks: list[Block] = [_(by_us if by_coordinator else plain)]
    blocks.append(session_block(writer, meeting))
    if is_held:
        blocks.append(_("Open the attached file to remove the session from your calendar."))
    mistake = N_("If you think this is a mistake, please let us know.")
    return_later = N_("If you change your mind, you can register again on your page.")
    blocks.append(_(mistake if by_coordinator else return_later))
    blocks.append(Button(_("Open my page"), writer.my_page(to)))
    file = calendar.cancellation(writer, meeting) if is_held else None
    return writer.member_letter(
        to, _(subject, date=date_of(writer, meeting)), *blocks, calendar=file
    )


def moved_to_waiting_list(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Letter:
    """Compose the email to a person who was moved to the waiting list."""
    writer = writer.to(to)
    _ = writer.translate
    intro = N_(
        "The coordinators moved you to the end of the waiting list. You no longer have a spot in "
        "this session:"
    )
    return writer.member_letter(
        to,
        _("You're now on the waiting list for %(date)s", date=date_of(writer, meeting)),
        _(intro),
        session_block(writer, meeting),
        _("We'll email you if a spot opens."),
        _("Open the attached file to remove the session from your calendar."),
        _("If you think this is a mistake, please let us know."),
        Button(_("View or change my registration"), writer.my_page(to)),
        calendar=calendar.cancellation(writer, meeting),
    )


def my_link(
    writer: LetterWriter, to: Recipient, meetings: Sequence[MeetingFacts], *, posted_again: bool
) -> Letter:
    """Compose the email with a page link: requested, or after registering again."""
    writer = writer.to(to)
    _ = writer.translate
    registered_again = N_(
        "Someone, probably you, registered again with this email. You were already registered, so "
        "nothing changed. You can change or cancel your registration on your page."
    )
    requested = N_(
        "Someone, probably you, asked for the link to your page. There you can change or cancel "
        "your registration."
    )
    return writer.member_letter(
        to,
        _("Your link for %(name)s", name=writer.community.short_name),
        _(registered_again if posted_again else requested),
        *[session_block(writer, meeting) for meeting in meetings],
        Button(_("Open my page"), writer.my_page(to)),
        _("The link works for a year. Don't share it: anyone who has it can open your page."),
        why=_("If this wasn't you, you don't need to do anything."),
    )


def confirm_list(writer: LetterWriter, to: Recipient) -> Letter:
    """Ask for confirmation that the recipient wants email about future sessions."""
    writer = writer.to(to)
    _ = writer.translate
    request = _(
        "Someone, probably you, asked us to email this address about future %(name)s sessions. "
        "We'll only do that if you confirm.",
        name=writer.community.short_name,
    )
    return writer.member_letter(
        to,
        _("Confirm your email to hear about future sessions"),
        request,
        Button(_("Yes, email me about future sessions"), writer.links.confirm_list(to.owner)),
        why=_("If you do nothing, you won't get these emails. You can unsubscribe at any time."),
    )


def _registered_session(writer: LetterWriter, meeting: MeetingFacts, join_url: str) -> Block:
    """Compose the block of a session that the recipient is registered for."""
    _ = writer.translate
    work_url = calendar.outlook_link(writer, meeting, is_work=True)
    private_url = calendar.outlook_link(writer, meeting, is_work=False)
    links = (
        join_link(writer, join_url),
        Link(_("Add to Google Calendar"), calendar.google_link(writer, meeting)),
        Link(_("Add to Outlook (work or school)"), work_url),
        Link(_("Add to Outlook.com"), private_url),
    )
    return session_block(writer, meeting, *preparation(writer, meeting), links=links)


def _decline_text(writer: LetterWriter) -> str:
    """Explain that declining in the calendar does not cancel the registration."""
    sentence = N_(
        "A calendar invitation is attached. Declining it won't tell us, so please use the link "
        "above to cancel."
    )
    return writer.translate(sentence)


def _subject(
    writer: LetterWriter, held: Sequence[MeetingFacts], waiting: Sequence[MeetingFacts]
) -> str:
    if (count := len(held)) > 1:
        return writer.ngettext(
            "You're registered for %(num)s session", "You're registered for %(num)s sessions", count
        )
    if held:
        sentence = N_("You're registered for %(date)s")
        return writer.translate(sentence, date=date_of(writer, held[0]))
    sentence = N_("You're on the waiting list for %(date)s")
    return writer.translate(sentence, date=date_of(writer, waiting[0]))
