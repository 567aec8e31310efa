"""Compose the emails to members about their registrations.

An email to an unverified address contains nothing that was typed into a form.
"""

from collections.abc import Mapping, Sequence

from cop.calendar.calendar import CalendarWriter
from cop.i18n import N_
from cop.links import Links
from cop.mail.letter import Block, Button, Letter, Link
from cop.mail.recipients import Recipient
from cop.mail.writer import LetterWriter
from cop.meetings.emails import date_of, preparation, session_block
from cop.meetings.locking import MeetingFacts


def access_need(writer: LetterWriter, meeting: MeetingFacts) -> Letter:
    """Notify coordinators of an access request; only the console shows what it is."""
    draft = writer.coordinator_draft(
        writer.translate(
            N_("Somebody asked for access on %(date)s"), date=date_of(writer, meeting)
        ),
        writer.translate(N_("Somebody who is registered said what would help them take part:")),
        session_block(writer, meeting),
        Button(
            writer.translate(N_("See what to arrange")), f"{roster_url(writer, meeting)}/access"
        ),
    )
    return draft.render()


def roster_url(writer: LetterWriter, meeting: MeetingFacts) -> str:
    """The console page of a session's roster."""
    return writer.links.console(f"/sessions/{meeting.slug}")


def join_links(links: Links, to: Recipient, registration_ids: Mapping[int, int]) -> dict[int, str]:
    """The recipient's join links by meeting id."""
    return {meeting: links.join(to.owner, id_) for meeting, id_ in registration_ids.items()}


def calendar_attachment(
    writer: LetterWriter, meetings: Sequence[MeetingFacts], join_urls: Mapping[int, str]
) -> str | None:
    """The calendar file to attach: one entry per session, with the recipient's join link."""
    if not meetings:
        return None
    calendar = CalendarWriter(writer.community, writer.links, writer.language)
    return calendar.attachment(meetings, join_urls)


def join_link(writer: LetterWriter, join_url: str) -> Link:
    """The recipient's own join link."""
    return Link(writer.translate(N_("Your way in, from 15 minutes before")), join_url)


def cancel_link(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Link:
    """The link to the page that cancels the recipient's registration."""
    address = writer.links.cancel(to.owner, meeting.slug, on=writer.now.date())
    return Link(writer.translate(N_("I cannot come")), address)


def decline_text(writer: LetterWriter) -> str:
    """Say that declining in the calendar does not cancel a registration."""
    return writer.translate(
        N_(
            "The calendar entry is attached. Declining it in your calendar does not tell us: your "
            "page does."
        )
    )


def registered_reason(writer: LetterWriter) -> str:
    """Why a registered member gets an email, for the small print."""
    return writer.translate(
        N_("You get this since this address was registered with the %(name)s."),
        name=writer.community.name,
    )


def registered_session_block(writer: LetterWriter, meeting: MeetingFacts, join_url: str) -> Block:
    """The block of a session that the recipient is registered for."""
    translate, community = writer.translate, writer.community
    calendar = CalendarWriter(community, writer.links)
    google, outlook = calendar.google_link(meeting), calendar.outlook_link(meeting)
    links = (
        join_link(writer, join_url),
        Link(translate(N_("Add to Google Calendar")), google),
        Link(translate(N_("Add to Outlook")), outlook),
    )
    return session_block(writer, meeting, *preparation(meeting, writer.language), links=links)


def confirmation(
    writer: LetterWriter,
    to: Recipient,
    *,
    held: Sequence[MeetingFacts],
    waiting: Sequence[MeetingFacts],
    registration_ids: Mapping[int, int],
) -> Letter:
    """Confirm everything selected in one form: places held, and waiting lists joined."""
    writer = writer.to(to)
    join_urls = join_links(writer.links, to, registration_ids)
    blocks: list[Block] = []
    if held:
        one, many = N_("You hold a place at this session:"), N_("You hold a place at these:")
        blocks.append(writer.translate_plural(one, many, len(held)))
        blocks += [
            registered_session_block(writer, meeting, join_urls[meeting.id]) for meeting in held
        ]
    if waiting:
        blocks.append(_waiting_text(writer))
        blocks += [session_block(writer, meeting) for meeting in waiting]
    blocks.append(_my_page(writer, to))
    if held:
        blocks.append(decline_text(writer))
    draft = writer.member_draft(
        to, _subject(writer, held, waiting), *blocks, why=registered_reason(writer)
    )
    return draft.render(calendar=calendar_attachment(writer, held, join_urls))


def promoted(
    writer: LetterWriter, to: Recipient, meeting: MeetingFacts, *, registration_id: int
) -> Letter:
    """Tell somebody that they moved from the waiting list to a place."""
    writer = writer.to(to)
    join_urls = join_links(writer.links, to, {meeting.id: registration_id})
    draft = writer.member_draft(
        to,
        writer.translate(N_("A place for you: %(date)s"), date=date_of(writer, meeting)),
        writer.translate(N_("A place became free, and it is yours:")),
        registered_session_block(writer, meeting, join_urls[meeting.id]),
        writer.translate(
            N_("If you cannot come any more, please say so: the next in line gets the place.")
        ),
        Button(writer.translate(N_("See or change your registration")), writer.my_page(to)),
        cancel_link(writer, to, meeting),
        decline_text(writer),
        why=registered_reason(writer),
    )
    return draft.render(calendar=calendar_attachment(writer, [meeting], join_urls))


def my_link(
    writer: LetterWriter, to: Recipient, meetings: Sequence[MeetingFacts], *, posted_again: bool
) -> Letter:
    """Send the link to their page: requested, or because they registered once more."""
    writer = writer.to(to)
    registered_again = N_(
        "Somebody, most likely you, registered again with this address. You are registered "
        "already, and nothing was changed. Your page changes or cancels it."
    )
    requested = N_("Somebody, most likely you, asked for the link to your page.")
    draft = writer.member_draft(
        to,
        writer.translate(N_("Your link: %(name)s"), name=writer.community.short_name),
        writer.translate(registered_again if posted_again else requested),
        *[session_block(writer, meeting) for meeting in meetings],
        Button(writer.translate(N_("Open your page")), writer.my_page(to)),
        writer.translate(
            N_("It works for a year. Do not pass it on: it opens your page to anybody.")
        ),
        why=writer.translate(N_("If it was not you, you need not do anything.")),
    )
    return draft.render()


def confirm_list(writer: LetterWriter, to: Recipient) -> Letter:
    """Ask for confirmation that the recipient wants email about future sessions."""
    writer = writer.to(to)
    draft = writer.member_draft(
        to,
        writer.translate(N_("Please confirm: mail about future sessions")),
        writer.translate(
            N_(
                "Somebody, most likely you, ticked that we may write to this address about future "
                "sessions of the %(name)s. We do so only once you confirm it."
            ),
            name=writer.community.name,
        ),
        Button(writer.translate(N_("Yes, write to me")), writer.links.confirm_list(to.owner)),
        why=writer.translate(
            N_("If you do nothing, you get no such mail. You can leave at any time.")
        ),
    )
    return draft.render()


def _waiting_text(writer: LetterWriter) -> str:
    return writer.translate(
        N_(
            "You are on the waiting list here, in the order of joining. When a place becomes free "
            "for you, a mail says so at once:"
        )
    )


def _my_page(writer: LetterWriter, to: Recipient) -> Button:
    verified, unverified = N_("See or change your registration"), N_("This is me: see my page")
    return Button(writer.translate(verified if to.is_verified else unverified), writer.my_page(to))


def _subject(
    writer: LetterWriter, held: Sequence[MeetingFacts], waiting: Sequence[MeetingFacts]
) -> str:
    if len(held) == 1:
        return writer.translate(N_("You are registered: %(date)s"), date=date_of(writer, held[0]))
    if held:
        return writer.translate_plural(
            N_("You are registered for %(num)s session"),
            N_("You are registered for %(num)s sessions"),
            len(held),
        )
    return writer.translate(
        N_("You are on the waiting list: %(date)s"), date=date_of(writer, waiting[0])
    )
