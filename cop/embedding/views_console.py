"""The console's page about embedding: snippets, and sites that may embed."""

from flask import Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from cop.audit.audit_log import Action
from cop.audit.views import note_action
from cop.db.engine import read_tx, write_tx
from cop.embedding import hosts
from cop.errors import Refused
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, strip_to_one_line
from cop.web.i18n import gettext, refusal_text
from cop.web.rendering import current_community, language, links, render


class HostForm(ConsoleForm):
    """A site to add to those that may embed our pages."""

    host = StringField(filters=[strip_to_one_line])


@console.get("/embed")
def embed() -> Response:
    return _show(HostForm())


@console.post("/embed/hosts")
def add_host() -> ResponseReturnValue:
    form = HostForm()
    try:
        with write_tx() as db_session:
            host = hosts.add_host(db_session, form.host.data or "")
            note_action(db_session, Action.CHANGED_HOSTS)
    except Refused as refusal:
        form.refuse(refusal, at="host")
        return _show(form)
    flash(gettext("Pages on %(host)s can now show the schedule and the form.", host=host))
    return redirect(url_for("console.embed"), 303)


@console.post("/embed/hosts/remove")
def remove_host() -> ResponseReturnValue:
    host = request.form.get("removed", "")
    with write_tx() as db_session:
        hosts.remove_host(db_session, host) or abort(404)
        note_action(db_session, Action.CHANGED_HOSTS)
    flash(gettext("Pages on %(host)s can no longer show the schedule and the form.", host=host))
    return redirect(url_for("console.embed"), 303)


@console.post("/embed/presets")
def switch_preset() -> ResponseReturnValue:
    presets = {preset.name: preset for preset in hosts.PRESETS}
    preset = presets.get(request.form.get("preset", "")) or abort(404)
    is_allowed = request.form.get("allowed") == "yes"
    with write_tx() as db_session:
        hosts.set_preset(db_session, preset, is_allowed=is_allowed)
        note_action(db_session, Action.CHANGED_HOSTS)
    if is_allowed:
        flash(gettext("%(name)s is now allowed.", name=preset.label))
    else:
        flash(gettext("%(name)s is no longer allowed.", name=preset.label))
    return redirect(url_for("console.embed"), 303)


@console.get("/embed/check")
def check_page() -> Response:
    """Show whether a page can embed ours: by the list of sites, without fetching it."""
    return _show(HostForm(), address=strip_to_one_line(request.args.get("address")))


def _show(form: HostForm, *, address: str | None = None) -> Response:
    with read_tx() as db_session:
        allowed = hosts.hosts(db_session)
    preset_hosts = {host for preset in hosts.PRESETS for host in preset.hosts}
    sites = [host for host in allowed if host not in preset_hosts]
    variants = filter(None, map(hosts.www_variant, sites))
    return render(
        "embedding/embed.html",
        fragment="embedding/_check.html" if address is not None else None,
        form=form,
        sites=sites,
        missing_variants=[variant for variant in variants if variant not in allowed],
        presets=[(preset, set(preset.hosts) <= set(allowed)) for preset in hosts.PRESETS],
        snippets=hosts.snippets(links(), name=current_community().short_name, language=language()),
        address=address,
        check=None if address is None else _check(address, allowed),
    )


def _check(address: str, allowed: tuple[str, ...]) -> tuple[bool, str]:
    """Return whether the page can embed ours, and a sentence with the reason."""
    try:
        host = hosts.check_embeddable(address, allowed)
    except Refused as refusal:
        return False, refusal_text(refusal)
    return True, gettext("Yes: pages on %(host)s can show the schedule and the form.", host=host)
