"""The console: what coordinators do, who they are, small groups, and what retention leaves."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _add_to(
        "community",
        long_days=(sa.Integer(), "60"),
        short_days=(sa.Integer(), "7"),
        observances=(sa.JSON(), "[]"),
        two_factor_required=(sa.Boolean(), sa.false()),
    )
    _add_to("meeting", edit_version=(sa.Integer(), "0"))
    _add_to("coordinator", may_export=(sa.Boolean(), sa.true()), recovery_hashes=(sa.JSON(), "[]"))
    _add_to("coordinator_session", device=(sa.Text(), ""), awaits_code=(sa.Boolean(), sa.false()))
    _add_optional("community", rule_from=sa.Date(), backup_at=MOMENT)
    _add_optional(
        "meeting",
        cancelled_at=MOMENT,
        room_size=sa.Integer(),
        room_seed=sa.Integer(),
        new_count=sa.Integer(),
        returning_count=sa.Integer(),
        hat_bands=sa.JSON(none_as_null=True),
    )
    _add_optional("member", first_came_on=sa.Date())
    _add_optional(
        "registration", minutes_present=sa.Integer(), room=sa.Integer(), cancelled_at=MOMENT
    )
    _add_optional("coordinator", totp_secret=sa.Text(), totp_step=sa.Integer())
    _create_tables()


def _add_to(table: str, **columns: tuple[sa.types.TypeEngine, object]) -> None:
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


def _key(table: str, other: str, *, gone: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{other}_id_{other}")
    return sa.ForeignKeyConstraint([f"{other}_id"], [f"{other}.id"], name=name, ondelete=gone)


def _number(table: str, name: str = "id") -> tuple[sa.Column, sa.PrimaryKeyConstraint]:
    return (
        sa.Column(name, sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(name, name=op.f(f"pk_{table}")),
    )


def _create_tables() -> None:
    op.create_table(
        "invitation",
        *_number("invitation"),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("may_export", sa.Boolean(), nullable=False),
        sa.Column("coordinator_id", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        _key("invitation", "coordinator", gone="CASCADE"),
        sa.UniqueConstraint("email_key", name=op.f("uq_invitation_email_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "act",
        *_number("act"),
        sa.Column("coordinator_id", sa.Integer(), nullable=True),
        sa.Column("meeting_id", sa.Integer(), nullable=True),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("what", sa.String(length=30), nullable=False),
        sa.Column("how_many", sa.Integer(), nullable=True),
        sa.Column("done_at", MOMENT, nullable=False),
        _key("act", "coordinator", gone="SET NULL"),
        _key("act", "meeting", gone="CASCADE"),
    )
    op.create_index(op.f("ix_act_done_at"), "act", ["done_at"])
    op.create_table(
        "announcement",
        *_number("announcement"),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("coordinator_id", sa.Integer(), nullable=True),
        sa.Column("audience", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        _key("announcement", "coordinator", gone="SET NULL"),
        _key("announcement", "meeting", gone="CASCADE"),
    )
    op.create_table(
        "attendance_import",
        *_number("attendance_import", "meeting_id"),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        _key("attendance_import", "meeting", gone="CASCADE"),
    )
    op.create_table(
        "erasure",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("erased_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_erasure")),
    )
    op.create_index(op.f("ix_erasure_erased_at"), "erasure", ["erased_at"])
