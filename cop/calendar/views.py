"""The schedule for other programs: calendars to subscribe to, files to add, and JSON.

What is public here may be read from any site. A member's own calendar is not: only its link opens
it, and that link opens nothing else.
"""

from datetime import datetime
from typing import cast

from flask import Response, abort, jsonify, request, url_for

from cop import links as cop_links
from cop.calendar import calendar
from cop.db.engine import read_tx
from cop.links import Purpose
from cop.meetings.locking import MeetingFacts
from cop.meetings.schedule import Listing
from cop.meetings.views_common import read_schedule
from cop.web.blueprints import feeds
from cop.web.page_cache import cached
from cop.web.rendering import current_community, language, links, now, settings

_NO_TRANSFORM = ("slug", "status", "reason", "topic", "summary", "guests", "prep_question")


@feeds.get("/schedule.ics")
@cached
def schedule() -> Response:
    listed = read_schedule()
    meetings = (*listed.upcoming, *listed.past)
    text = calendar.feed(meetings, current_community(), links(), now=now(), language=language())
    return _public(_calendar_file(text, "sessions"))


@feeds.get("/schedule/<slug:slug>.ics")
@cached
def meeting(slug: str) -> Response:
    listed = read_schedule()
    found = listed.find(slug) or abort(404)
    text = calendar.file(found, current_community(), links(), language=language())
    return _public(_calendar_file(text, slug))


@feeds.get("/schedule.json")
@cached
def sessions() -> Response:
    """Everything public about the sessions, soonest first.

    `community`: name, short_name, host, zone, place, url (of the schedule). `sessions`: slug;
    starts_at and ends_at in the community's zone; status (planned, cancelled); moved_from (a date);
    reason of either; topic; summary (Markdown); guests; reading (title, url, minutes);
    prep_question; places (plenty, few, full); url; register_url. What there is not is null: places
    where there is no limit or the session is not open, register_url where nobody can register.
    """
    listed = read_schedule()
    in_time = (*reversed(listed.past), *listed.upcoming)
    shown = [_as_json(found) for found in in_time]
    return _public(jsonify(community=_community(), sessions=shown))


@feeds.get("/calendar/<token>.ics")
def own(token: str) -> Response:
    kinds = (int, int)
    parts = cop_links.read_token(settings().secret_key, Purpose.CALENDAR, token, kinds) or abort(
        404
    )
    member_id, calendar_version = cast("list[int]", parts)
    with read_tx() as db_session:
        found = calendar.read_member_calendar(
            db_session, member_id, calendar_version=calendar_version, links=links()
        )
    if found is None:
        abort(404)
    text = calendar.feed(
        found.meetings,
        current_community(),
        links(),
        now=now(),
        language=language(),
        way_in=found.way_in,
    )
    return _private(_calendar_file(text, "my-sessions"))


def _calendar_file(text: bytes, name: str) -> Response:
    response = Response(text, content_type="text/calendar; charset=utf-8")
    file_name = "-".join(filter(None, (current_community().slug, name)))
    response.headers["Content-Disposition"] = f'inline; filename="{file_name}.ics"'
    return response


def _public(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.cache_control.public = True
    response.cache_control.max_age = 300
    return response


def _private(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex"
    response.cache_control.private = True
    response.cache_control.no_cache = True
    response.add_etag()
    response.make_conditional(request)
    return response


def _community() -> dict[str, str]:
    return {
        "name": current_community().name,
        "short_name": current_community().short_name,
        "host": current_community().host_name,
        "zone": current_community().time_zone,
        "place": current_community().location,
        "url": links().schedule,
    }


def _as_json(found: Listing) -> dict[str, object]:
    def local(moment: datetime) -> str:
        return moment.astimezone(current_community().zone_info).isoformat(timespec="seconds")

    register = links().page(url_for("public.form", session=found.slug))
    return {
        **{name: getattr(found, name) for name in _NO_TRANSFORM},
        "starts_at": local(found.starts_at),
        "ends_at": local(found.ends_at),
        "moved_from": found.moved_from.isoformat() if found.moved_from else None,
        "reading": _reading(found),
        "places": found.availability.value if found.availability and found.is_open else None,
        "url": links().meeting(found.slug),
        "register_url": register if found.can_be_chosen else None,
    }


def _reading(found: Listing) -> dict[str, object] | None:
    if not found.reading_title:
        return None
    return {
        "title": found.reading_title,
        "url": found.reading_url,
        "minutes": found.reading_minutes,
    }


@feeds.app_template_filter()
def google_link(meeting: MeetingFacts) -> str:
    """The address at which Google Calendar offers to add the session."""
    return calendar.google_link(meeting, current_community(), links(), language=language())


@feeds.app_template_filter()
def outlook_link(meeting: MeetingFacts) -> str:
    """The address at which Outlook on the web offers to add it."""
    return calendar.outlook_link(meeting, current_community(), links(), language=language())
