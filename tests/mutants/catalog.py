"""The mutants: one changed line each, and a test that has to fail because of it.

To add one, copy a line of the code that occurs once in its file, break it, and name the test. When
the code or the test moves, change its entry; `tests/test_mutants.py` says which one is out of date.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One line of code, what it is replaced by, and the test that must fail."""

    what: str
    file: str  # below `cop/`
    old: str
    new: str
    test: str  # below `tests/`, as pytest names it


MUTANTS = [
    # Places
    Mutant(
        "A meeting is read without its lock",
        "meetings/locking.py",
        "taken = [_TAKE_LOCK.rows(db_session, meeting_id=id_) for id_ in sorted(set(ids))]",
        "taken = [[tuple(row)] for row in db_session.execute(_READ.where(Meeting.id.in_([*ids])))]",
        "registration/test_registering_at_once.py::test_the_last_places_are_given_once_each",
    ),
    Mutant(
        "The last who waits comes first",
        "registration/waiting_list.py",
        "query = query.order_by(Registration.id)",
        "query = query.order_by(Registration.id.desc())",
        "registration/test_waiting_list.py::test_canceling_promotes_the_first_person_waiting",
    ),
    Mutant(
        "A place more than there are goes to who waits",
        "registration/waiting_list.py",
        "query = query.limit(max(0, meeting.capacity - taken))",
        "query = query.limit(max(0, meeting.capacity - taken + 1))",
        "registration/test_waiting_list.py::test_a_raised_capacity_promotes_as_many",
    ),
    Mutant(
        "A place more than there are goes to who registers",
        "registration/register.py",
        "meeting.capacity, held=held, waiting=waiting, has_begun=has_begun",
        "meeting.capacity, held=held - 1, waiting=waiting, has_begun=has_begun",
        "registration/test_registering_at_once.py::test_the_last_places_are_given_once_each",
    ),
    Mutant(
        "Places go to who waits after the start",
        "registration/waiting_list.py",
        "if meeting.is_cancelled or meeting.starts_at <= writer.now:",
        "if meeting.is_cancelled:",
        "registration/test_waiting_list.py::test_nobody_is_promoted_once_the_meeting_has_begun",
    ),
    # Posts
    Mutant(
        "Posts from other sites pass",
        "web/security.py",
        "    if not is_own:",
        "    if False:",
        "web/test_foreign_posts.py::test_a_form_sent_from_another_site_is_refused_with_a_link_to_our_own",
    ),
    Mutant(
        "An origin passes that ends with our name",
        "web/security.py",
        'return _FINAL_DOT.sub("", origin.lower()) == settings().base_url',
        'return origin.endswith((settings().base_url or "").partition("//")[2])',
        "web/test_foreign_posts.py::test_an_origin_may_be_any_spelling_of_the_site_s_and_no_other",
    ),
    Mutant(
        "An origin passes that begins with our name",
        "web/security.py",
        'return _FINAL_DOT.sub("", origin.lower()) == settings().base_url',
        'return origin.startswith(settings().base_url or "")',
        "web/test_foreign_posts.py::test_an_origin_may_be_any_spelling_of_the_site_s_and_no_other",
    ),
    Mutant(
        "One name and one pair too many pass",
        "web/security.py",
        "MAX_NAMES, MAX_PAIRS = 60, 200",
        "MAX_NAMES, MAX_PAIRS = 61, 201",
        "web/test_sizes.py::test_a_public_form_is_read_up_to_its_limit",
    ),
    Mutant(
        "One byte too many passes",
        "app.py",
        "MAX_BODY = 65_536",
        "MAX_BODY = 65_537",
        "web/test_sizes.py::test_a_public_form_is_read_up_to_its_limit",
    ),
    Mutant(
        "The limit of posts is gone",
        "web/security.py",
        "app.view_functions[endpoint] = limit_accepted(limit_refused(view))",
        "app.view_functions[endpoint] = view",
        "web/test_limits.py::test_a_network_is_an_ipv4_address_or_an_ipv6_64",
    ),
    Mutant(
        "Programs that fill every field pass",
        "registration/forms.py",
        "        if field.data:",
        "        if False:",
        "registration/test_views_refused.py::test_the_honeypot_is_shown_to_somebody_who_filled_it",
    ),
    Mutant(
        "Looking at a link stops the email",
        "members/views_preferences.py",
        "preferences.check_kind(db_session, member_id, kind)",
        "preferences.opt_out(db_session, member_id, kind, writer=writer())",
        "members/test_views_preferences.py::test_viewing_the_page_does_not_unsubscribe",
    ),
    # Links and signing in
    Mutant(
        "A link opens what it was not made for",
        "links.py",
        'salt=f"cop link {purpose}"',
        'salt="cop link"',
        "test_links.py::test_an_address_takes_only_what_was_signed_for_it",
    ),
    Mutant(
        "A link works that its owner has ended",
        "members/members.py",
        "return (Member.id == owner.member_id, Member.token_version == owner.token_version)",
        "return (Member.id == owner.member_id,)",
        "members/test_views_access.py::test_an_invalid_link_shows_nothing_and_changes_nothing",
    ),
    Mutant(
        "The console is open",
        "accounts/access_control.py",
        'if not is_marked("is_open_to_all"):',
        "if False:",
        "accounts/test_access_control.py::test_every_address_of_the_console_requires_sign_in",
    ),
    Mutant(
        "Guesses of a password need not wait",
        "accounts/sign_in.py",
        "    if found.failed_at <= now < until:",
        "    if False:",
        "accounts/test_sign_in.py::test_after_four_failures_the_delay_doubles_up_to_a_minute",
    ),
    Mutant(
        "A code works twice",
        "accounts/two_factor.py",
        "    if step <= after:",
        "    if False:",
        "accounts/test_two_factor.py::test_a_code_works_once_and_ends_those_before_it",
    ),
    Mutant(
        "A link to a new password works twice",
        "accounts/password_reset.py",
        "return hashlib.sha256(coordinator.password_hash.encode()).hexdigest()[:16]",
        'return hashlib.sha256(b"").hexdigest()[:16]',
        "accounts/test_views_password_reset.py::test_the_link_works_once",
    ),
    Mutant(
        "An invitation works after its week",
        "accounts/invitations.py",
        "or now > found.created_at + VALID_FOR",
        "or False",
        "accounts/test_views_invitations.py::test_the_link_works_for_a_week",
    ),
    Mutant(
        "A preserved form is shown to whoever signs in",
        "web/preserved_form.py",
        "return fields if owner_id == coordinator_id else None",
        "return fields",
        "accounts/test_session_timeout.py::test_another_coordinator_gets_the_page_without_the_text",
    ),
    Mutant(
        "A preserved form that is forged is carried out",
        "accounts/access_control.py",
        "if preserved_form.FIELD in request.form:",
        "if preserved_form.fields_of(g.coordinator.id) is not None:",
        "accounts/test_session_timeout.py::"
        "test_a_preserved_form_is_never_carried_out_even_if_it_is_forged",
    ),
    # Pages
    Mutant(
        "A search is answered with the page of all past sessions",
        "web/page_cache.py",
        "return bool(environ.get(IS_CACHEABLE)) and not is_search",
        "return bool(environ.get(IS_CACHEABLE))",
        "pages/test_past.py::test_a_search_is_never_cached_nor_answered_with_another_page",
    ),
    Mutant(
        "Browsers keep pages about people",
        "web/rendering.py",
        "response.cache_control.no_store = True",
        "response.cache_control.no_cache = True",
        "members/test_views_access.py::test_member_pages_are_neither_cached_nor_indexed",
    ),
    Mutant(
        "Any site may show our pages in a frame",
        "web/security.py",
        """ancestors = ["'self'", *hosts] if is_embedded() else ["'none'"]""",
        'ancestors = ["*"]',
        "web/test_headers.py::test_every_response_has_its_headers",
    ),
    Mutant(
        "The site answers to every name",
        "app.py",
        "TRUSTED_HOSTS=settings.host_names,",
        "TRUSTED_HOSTS=None,",
        "web/test_headers.py::test_an_untrusted_host_is_refused",
    ),
    Mutant(
        "Pages do not escape what people type",
        "web/rendering.py",
        "app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True",
        "app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True; app.jinja_env.autoescape = False",
        "settings/test_views.py::test_hostile_text_is_text_wherever_it_shows",
    ),
    Mutant(
        "HTML in Markdown is HTML",
        "markdown.py",
        '{"html": False, "linkify": False}',
        '{"html": True, "linkify": False}',
        "meetings/test_filters.py::test_markdown_becomes_html",
    ),
    Mutant(
        "A cell of the list is a formula",
        "web/downloads.py",
        "    whole = cell.removesuffix(text) + inside",
        "    return cell",
        "roster/test_csv_export.py::test_only_a_cell_that_would_be_a_formula_gets_an_apostrophe",
    ),
    Mutant(
        "The log holds whole addresses",
        "web/request_log.py",
        "24 if ip.version == 4 else 48",
        "32 if ip.version == 4 else 128",
        "web/test_request_log.py::test_an_address_is_logged_as_its_network",
    ),
    # Email
    Mutant(
        "Every email has a Cc",
        "mail/message.py",
        'message["To"] = to',
        'message["To"], message["Cc"] = to, sender',
        "mail/test_smtp.py::test_every_email_has_one_recipient_by_its_envelope_and_by_its_headers",
    ),
    Mutant(
        "Emails do not escape what people type",
        "mail/letter.py",
        'autoescape=name.endswith(".html"),',
        "autoescape=False,",
        "registration/test_emails.py::test_markup_in_a_topic_stays_text",
    ),
    Mutant(
        "Times are those of UTC",
        "dates.py",
        "return moment.astimezone(self.zone)",
        "return moment",
        "mail/test_times.py"
        "::test_a_confirmation_says_the_same_hour_before_and_after_the_clocks_change",
    ),
    Mutant(
        "Two emails may have the same key",
        "models/email.py",
        "dedup_key: Mapped[str] = mapped_column(unique=True)",
        "dedup_key: Mapped[str] = mapped_column()",
        "db/test_migrations.py::test_models_and_migrations_agree",
    ),
    Mutant(
        "A lease ends while the email is handed over",
        "outbox/retries.py",
        "LEASE = timedelta(minutes=15)",
        "LEASE = timedelta(seconds=1)",
        "outbox/test_outbox.py::test_a_lease_is_longer_than_all_timeouts_of_one_email",
    ),
    Mutant(
        "Reminders go out after the start",
        "reminders/reminders.py",
        "if not meeting.is_cancelled and meeting.starts_at > writer.now",
        "if not meeting.is_cancelled",
        "reminders/test_reminders.py::test_no_reminder_is_queued_if_the_meeting_starts_before_it_is_locked",
    ),
    # What is stored
    Mutant(
        "A transaction that writes takes its lock late",
        "db/engine.py",
        'connection.exec_driver_sql(f"BEGIN {mode}")',
        'connection.exec_driver_sql("BEGIN DEFERRED")',
        "db/test_engine.py::test_a_write_transaction_holds_the_write_lock_from_its_beginning",
    ),
    Mutant(
        "A commit is lost when the power fails",
        "db/engine.py",
        'return ["journal_mode=WAL", "synchronous=FULL"]',
        'return ["journal_mode=WAL", "synchronous=NORMAL"]',
        "db/test_engine.py::test_a_pragma_is_in_force_on_every_connection",
    ),
    Mutant(
        "SQLite's log keeps what was deleted",
        "db/engine.py",
        "    empty_log()",
        "    pass",
        "privacy/test_views_erase.py::test_a_deleted_answer_leaves_no_trace",
    ),
    Mutant(
        "The emails of who was erased stay as files",
        "members/views.py",
        "folder_transport(settings()).delete_copies(message_ids)",
        "folder_transport(settings()).delete_copies([])",
        "privacy/test_views_erase.py::test_erased_data_leaves_no_trace",
    ),
    Mutant(
        "Answers stay a day longer than promised",
        "community/community.py",
        "return min(SHORT_RETENTION, days, self.retention)",
        "return min(SHORT_RETENTION, days, self.retention) + timedelta(days=1)",
        "privacy/test_deletion.py::test_an_answer_stays_until_its_date_and_goes_on_it",
    ),
    Mutant(
        "A copy is kept without a look at it",
        "operations/backups.py",
        "        verify(draft)",
        "        pass",
        "operations/test_backups.py::test_a_copy_that_is_damaged_is_not_kept",
    ),
    Mutant(
        "A restored backup switches emails on again",
        "operations/restore.py",
        "preferences.opt_out(db_session, member_id, kind, writer=writer)",
        "pass",
        "operations/test_restore.py::test_email_that_was_stopped_after_a_backup_does_not_come_back_with_it",
    ),
]
