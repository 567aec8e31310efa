"""The schedule for other programs: calendar feeds, calendar files and JSON.

Scripts on any site may read the public responses. Whoever has the link of a member's own calendar
can read it, but the link gives access to nothing else.
"""

from datetime import datetime

from flask import Response, abort, jsonify, request, url_for

from cop import links as cop_links
from cop.calendar import calendar
from cop.db.engine import read_tx
from cop.links import Purpose
from cop.mail.writer import LetterWriter
from cop.meetings.locking import MeetingFacts
from cop.meetings.schedule import Listing
from cop.meetings.views_common import read_schedule
from cop.web.blueprints import feeds
from cop.web.page_cache import cached
from cop.web.rendering import current_community, language, links, now, settings

COPIED_FIELDS = ("slug", "status", "reason", "topic", "summary", "guests", "prep_question")


@feeds.get("/schedule.ics")
@cached
def schedule() -> Response:
    content = calendar.feed(_writer(), read_schedule().all)
    return _public(_calendar_file(content, "sessions"))


@feeds.get("/schedule/<slug:slug>.ics")
@cached
def meeting(slug: str) -> Response:
    meeting = read_schedule().find(slug) or abort(404)
    return _public(_calendar_file(calendar.file(_writer(), meeting), slug))


@feeds.get("/schedule.json")
@cached
def sessions() -> Response:
    """Send everything public about the sessions, in chronological order.

    `community`: name, short_name, host, zone, place, url (of the schedule). `sessions`: slug;
    starts_at and ends_at in the community's zone; status (planned, cancelled); moved_from (a date);
    reason (of the move or the cancellation); topic; summary (Markdown); guests; reading (title,
    url, minutes); prep_question; places (how many spots are left: plenty, few, full); url;
    register_url. Missing values are null: places if there is no limit or the session is not open,
    register_url if nobody can register.
    """
    listed, community = read_schedule(), current_community()
    response = jsonify(
        community={
            "name": community.name,
            "short_name": community.short_name,
            "host": community.host_name,
            "zone": community.time_zone,
            "place": community.location,
            "url": links().schedule,
        },
        sessions=[_as_json(each) for each in (*reversed(listed.past), *listed.upcoming)],
    )
    return _public(response)


@feeds.get("/calendar/<token>.ics")
def own(token: str) -> Response:
    parts = cop_links.read_token(settings().secret_key, Purpose.CALENDAR, token, (int, int))
    if not parts:
        abort(404)
    member_id, version = map(int, parts)  # for the type checker: they are ints
    with read_tx() as db_session:
        member_calendar = calendar.read_member_calendar(
            db_session, member_id, calendar_version=version, links=links()
        )
    if member_calendar is None:
        abort(404)
    meetings, join_urls = member_calendar
    content = calendar.feed(_writer(), meetings, join_urls=join_urls)
    response = _calendar_file(content, "my-sessions")
    response.headers["X-Robots-Tag"] = "noindex"
    response.cache_control.private = response.cache_control.no_cache = True
    response.add_etag()
    response.make_conditional(request)
    return response


@feeds.app_template_filter()
def google_link(meeting: MeetingFacts) -> str:
    """Return the address at which Google Calendar offers to add the session."""
    return calendar.google_link(_writer(), meeting)


@feeds.app_template_filter()
def outlook_link(meeting: MeetingFacts, *, is_work: bool) -> str:
    """Return the address at which Outlook on the web offers to add the session."""
    return calendar.outlook_link(_writer(), meeting, is_work=is_work)


def _writer() -> LetterWriter:
    """Return a writer whose links have this request's host where no base URL is set."""
    return LetterWriter(current_community(), links(), now(), language())


def _calendar_file(content: bytes, name: str) -> Response:
    response = Response(content, content_type="text/calendar; charset=utf-8")
    file_name = f"{current_community().slug}-{name}.ics"
    response.headers["Content-Disposition"] = f'inline; filename="{file_name}"'
    return response


def _public(response: Response) -> Response:
    """Let pages of all origins read the response, and caches store it."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.cache_control.public = True
    response.cache_control.max_age = 300
    return response


def _as_json(meeting: Listing) -> dict[str, object]:
    def local(moment: datetime) -> str:
        return moment.astimezone(current_community().zone_info).isoformat(timespec="seconds")

    reading = {
        "title": meeting.reading_title,
        "url": meeting.reading_url,
        "minutes": meeting.reading_minutes,
    }
    register_url = links().page(url_for("public.form", session=meeting.slug))
    return {
        **{name: getattr(meeting, name) for name in COPIED_FIELDS},
        "starts_at": local(meeting.starts_at),
        "ends_at": local(meeting.ends_at),
        "moved_from": meeting.moved_from.isoformat() if meeting.moved_from else None,
        "reading": reading if meeting.reading_title else None,
        "places": meeting.availability.value if meeting.availability and meeting.is_open else None,
        "url": links().meeting(meeting.slug),
        "register_url": register_url if meeting.can_be_chosen else None,
    }
