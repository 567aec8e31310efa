"""Composes the mails to members about their places. Composing is not sending: these are letters.

A letter to an address that is not proven contains nothing that somebody typed into a form.
"""

from collections.abc import Mapping, Sequence

from cop.domain.meetings import LockedMeeting, MeetingFacts
from cop.domain.recipients import Recipient
from cop.mail import phrases
from cop.mail.letter import Block, Button, Letter
from cop.mail.writer import Writer
from cop.meetings.emails import date_of, session_block
from cop.words import N_


def confirmation(
    writer: Writer,
    to: Recipient,
    *,
    held: Sequence[LockedMeeting],
    waiting: Sequence[LockedMeeting],
    registration_ids: Mapping[int, int],
) -> Letter:
    """One mail for everything that was chosen in one form: places held, and turns in line."""
    writer = writer.to(to)
    ways_in = phrases.ways_in(writer.links, to, registration_ids)
    blocks: list[Block] = []
    if held:
        one, many = N_("You hold a place at this session:"), N_("You hold a place at these:")
        blocks.append(writer.count(one, many, len(held)))
        blocks += [phrases.held(writer, meeting, ways_in[meeting.id]) for meeting in held]
    if waiting:
        blocks.append(_waiting_said(writer))
        blocks += [session_block(writer, meeting) for meeting in waiting]
    blocks.append(_my_page(writer, to))
    if held:
        blocks.append(phrases.declining_said(writer))
    draft = writer.member_draft(
        to, _subject(writer, held, waiting), *blocks, why=phrases.registered_why(writer)
    )
    return draft.sealed(calendar=phrases.attached(writer, held, ways_in))


def promoted(
    writer: Writer, to: Recipient, meeting: LockedMeeting, *, registration_id: int
) -> Letter:
    """A place became free, and it is theirs."""
    writer = writer.to(to)
    ways_in = phrases.ways_in(writer.links, to, {meeting.id: registration_id})
    draft = writer.member_draft(
        to,
        writer.say(N_("A place for you: %(date)s"), date=date_of(writer, meeting)),
        writer.say(N_("A place became free, and it is yours:")),
        phrases.held(writer, meeting, ways_in[meeting.id]),
        writer.say(
            N_("If you cannot come any more, please say so: the next in line gets the place.")
        ),
        Button(writer.say(N_("See or change your registration")), writer.my_page(to)),
        phrases.cannot_come(writer, to, meeting),
        phrases.declining_said(writer),
        why=phrases.registered_why(writer),
    )
    return draft.sealed(calendar=phrases.attached(writer, [meeting], ways_in))


def my_link(
    writer: Writer, to: Recipient, meetings: Sequence[MeetingFacts], *, posted_again: bool
) -> Letter:
    """The link to their own page: asked for, or since their address was typed once more."""
    writer = writer.to(to)
    if posted_again:
        said = writer.say(
            N_(
                "Somebody, most likely you, registered again with this address. You are registered "
                "already, and nothing was changed. Your page changes or cancels it."
            )
        )
    else:
        said = writer.say(N_("Somebody, most likely you, asked for the link to your page."))
    draft = writer.member_draft(
        to,
        writer.say(N_("Your link: %(name)s"), name=writer.community.short_name),
        said,
        *[session_block(writer, meeting) for meeting in meetings],
        Button(writer.say(N_("Open your page")), writer.my_page(to)),
        writer.say(N_("It works for a year. Do not pass it on: it opens your page to anybody.")),
        why=writer.say(N_("If it was not you, you need not do anything.")),
    )
    return draft.sealed()


def confirm_list(writer: Writer, to: Recipient) -> Letter:
    """Whoever wants mail about future sessions says so once more, from their own mailbox."""
    writer = writer.to(to)
    draft = writer.member_draft(
        to,
        writer.say(N_("Please confirm: mail about future sessions")),
        writer.say(
            N_(
                "Somebody, most likely you, ticked that we may write to this address about future "
                "sessions of the %(name)s. We do so only once you confirm it."
            ),
            name=writer.community.name,
        ),
        Button(writer.say(N_("Yes, write to me")), writer.links.confirm_list(to.owner)),
        why=writer.say(N_("If you do nothing, you get no such mail. You can leave at any time.")),
    )
    return draft.sealed()


def _waiting_said(writer: Writer) -> str:
    return writer.say(
        N_(
            "You are on the waiting list here, in the order of joining. When a place becomes free "
            "for you, a mail says so at once:"
        )
    )


def _my_page(writer: Writer, to: Recipient) -> Button:
    words = N_("See or change your registration") if to.is_proven else N_("This is me: see my page")
    return Button(writer.say(words), writer.my_page(to))


def _subject(writer: Writer, held: Sequence[MeetingFacts], waiting: Sequence[MeetingFacts]) -> str:
    if len(held) == 1:
        return writer.say(N_("You are registered: %(date)s"), date=date_of(writer, held[0]))
    if held:
        return writer.count(
            N_("You are registered for %(num)s session"),
            N_("You are registered for %(num)s sessions"),
            len(held),
        )
    return writer.say(N_("You are on the waiting list: %(date)s"), date=date_of(writer, waiting[0]))
