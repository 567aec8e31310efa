"""What other sites paste into their pages, and which of them may show ours."""

from flask import Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import StringField

from cop.audit.audit_log import Action
from cop.audit.views import note_action
from cop.db.engine import read_tx, write_tx
from cop.embedding import hosts as embedding_hosts
from cop.errors import Refused
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, strip_to_one_line
from cop.web.i18n import gettext, refusal_text
from cop.web.rendering import current_community, language, links, render


class HostForm(ConsoleForm):
    """A site that may show our pages."""

    host = StringField(filters=[strip_to_one_line])


@console.get("/embed")
def embed() -> Response:
    return _show(HostForm())


@console.post("/embed/hosts")
def add_host() -> ResponseReturnValue:
    form = HostForm()
    try:
        with write_tx() as db_session:
            host = embedding_hosts.add_host(db_session, form.host.data or "")
            _note(db_session)
    except Refused as refusal:
        form.refuse(refusal)
        return _show(form)
    return _changed(gettext("Pages of %(host)s can show the schedule and the form now.", host=host))


@console.post("/embed/hosts/remove")
def remove_host() -> ResponseReturnValue:
    host = request.form.get("host", "")
    with write_tx() as db_session:
        embedding_hosts.remove_host(db_session, host) or abort(404)
        _note(db_session)
    return _changed(
        gettext("From now on, pages of %(host)s cannot show the schedule and the form.", host=host)
    )


@console.post("/embed/presets")
def switch_preset() -> ResponseReturnValue:
    wanted = {preset.name: preset for preset in embedding_hosts.PRESETS}
    preset = wanted.get(request.form.get("preset", "")) or abort(404)
    on = request.form.get("allowed") == "yes"
    with write_tx() as db_session:
        embedding_hosts.set_preset(db_session, preset, on=on)
        _note(db_session)
    said = gettext("%(name)s: allowed.") if on else gettext("%(name)s: allowed no longer.")
    return _changed(said % {"name": preset.label})


@console.get("/embed/check")
def check_page() -> Response:
    """Whether a page will work, answered from the list alone."""
    return _show(HostForm(), address=strip_to_one_line(request.args.get("address")))


def _note(db_session: Session) -> None:
    note_action(db_session, Action.CHANGED_HOSTS)


def _changed(sentence: str) -> ResponseReturnValue:
    flash(sentence)
    return redirect(url_for("console.embed"), 303)


def _show(form: HostForm, *, address: str | None = None) -> Response:
    with read_tx() as db_session:
        hosts = embedding_hosts.hosts(db_session)
    typed = [host for host in hosts if not _is_of_preset(host)]
    return render(
        "embedding/embed.html",
        fragment="embedding/_verdict.html" if address is not None else None,
        form=form,
        hosts=typed,
        twins=[
            twin
            for host in typed
            if (twin := embedding_hosts.www_variant(host)) and twin not in hosts
        ],
        presets=[(preset, preset.is_on(hosts)) for preset in embedding_hosts.PRESETS],
        snippets=embedding_hosts.snippets(
            links(), name=current_community().short_name, language=language()
        ),
        address=address,
        verdict=None if address is None else _verdict(address, hosts),
    )


def _is_of_preset(host: str) -> bool:
    return any(host in preset.hosts for preset in embedding_hosts.PRESETS)


def _verdict(address: str, hosts: tuple[str, ...]) -> tuple[bool, str]:
    """Whether it works, and the sentence that says why."""
    try:
        found = embedding_hosts.check_embeddable(address, hosts)
    except Refused as refusal:
        return False, refusal_text(refusal)
    return found.works, gettext(found.sentence, **found.values)
