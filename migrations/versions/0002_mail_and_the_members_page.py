"""Mail: the outbox, what members want of it, and what a meeting's registered people were told."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_to("community", reminder_days=(sa.JSON(), "[7, 1]"), notice_minutes=(sa.Integer(), "2"))
    _add_to("member", mail_off=(sa.JSON(), "[]"), token_version=(sa.Integer(), "0"),
            calendar_version=(sa.Integer(), "0"))  # fmt: skip
    _add_to("registration", told=(sa.Text(), ""))
    # Calendars have shown nothing of these meetings yet: any moment before now will do.
    _add_to("meeting", revised_at=(sa.DateTime(timezone=True), "2026-11-01 00:00:00+00:00"))
    _add_optional("member", proven_at=sa.DateTime(timezone=True),
                  undeliverable_at=sa.DateTime(timezone=True))  # fmt: skip
    _add_optional("registration", promoted_at=sa.DateTime(timezone=True),
                  joined_at=sa.DateTime(timezone=True))  # fmt: skip
    _add_optional(
        "meeting",
        join_url=sa.Text(),
        takeaways=sa.Text(),
        recording_url=sa.Text(),
        published_at=sa.DateTime(timezone=True),
        edited_at=sa.DateTime(timezone=True),
        promoted_count=sa.Integer(),
    )
    with op.batch_alter_table("meeting") as batch_op:
        batch_op.create_index(batch_op.f("ix_meeting_edited_at"), ["edited_at"])
    _create_outbox()
    for table in ("member", "registration", "coordinator"):
        _number_for_good(table)


def _number_for_good(table: str) -> None:
    """SQLite gives the number of a deleted row out again, unless the table says otherwise."""
    again = {"recreate": "always", "table_kwargs": {"sqlite_autoincrement": True}}
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table(table, **again):
            pass


def _add_to(table: str, **columns: tuple[sa.types.TypeEngine, str]) -> None:
    """Add columns that are never empty: a value for the rows that are there, and no default."""
    with op.batch_alter_table(table) as batch_op:
        for name, (kind, value) in columns.items():
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=value))
    with op.batch_alter_table(table) as batch_op:
        for name in columns:
            batch_op.alter_column(name, server_default=None)


def _add_optional(table: str, **columns: sa.types.TypeEngine) -> None:
    with op.batch_alter_table(table) as batch_op:
        for name, kind in columns.items():
            batch_op.add_column(sa.Column(name, kind, nullable=True))


def _create_outbox() -> None:
    op.create_table(
        "outbox_email",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("meeting_id", sa.Integer(), nullable=True),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("to_name", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=True),
        sa.Column("unsubscribe_url", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unknown_endings", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('queued', 'sending', 'retrying', 'sent', 'failed', 'withdrawn')",
            name=op.f("ck_outbox_email_state"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [f"{table}_id"],
                [f"{table}.id"],
                name=op.f(f"fk_outbox_email_{table}_id_{table}"),
                ondelete="CASCADE",
            )
            for table in ("member", "registration", "meeting")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_email")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_outbox_email_dedup_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_email_state_due_at", "outbox_email", ["state", "due_at"])
    for column in ("member_id", "registration_id", "created_at"):
        op.create_index(op.f(f"ix_outbox_email_{column}"), "outbox_email", [column])
