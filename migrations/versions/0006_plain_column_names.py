"""Plain names: columns say what they hold, and the table of coordinators' actions is one of them.

Columns are renamed in place, which takes no longer on a large table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RENAMED = {
    "announcement": {"mails": "recipient_count"},
    "attendance_import": {"people": "participants"},
    "community": {
        "place": "location",
        "zone": "time_zone",
        "rule": "recurrence_rule",
        "rule_from": "recurrence_from",
        "starts": "start_time",
        "minutes": "duration_minutes",
        "questions_off": "disabled_questions",
        "long_days": "retention_days",
        "short_days": "short_retention_days",
        "round_at": "daily_tasks_at",
    },
    "coordinator_session": {"seen_at": "last_seen_at"},
    "meeting": {"came_count": "attended_count", "hat_bands": "hat_counts"},
    "member": {
        "list_asked_at": "list_requested_at",
        "proven_at": "verified_at",
        "first_came_on": "first_attended_on",
        "mail_off": "opt_outs",
    },
    "outbox_email": {"unknown_endings": "unknown_outcomes", "answer": "server_reply"},
    "registration": {"told": "announced"},
    "viewing": {"what": "resource", "seen_at": "viewed_at"},
    "withdrawal": {"what": "scope"},
}


def upgrade() -> None:
    for table, columns in RENAMED.items():
        for old, new in columns.items():
            op.alter_column(table, old, new_column_name=new)
    op.drop_column("meeting", "edit_version")  # forms compare what they were filled with instead
    op.drop_index("ix_viewing_seen_at", "viewing")
    op.create_index("ix_viewing_viewed_at", "viewing", ["viewed_at"])
    _create_audit_entry()
    # SQLite cannot rename constraints, so the rows move into a new table. Nothing refers to them.
    op.execute(
        "INSERT INTO audit_entry"
        " (coordinator_id, meeting_id, registration_id, action, item_count, done_at)"
        " SELECT coordinator_id, meeting_id, registration_id, what, how_many, done_at"
        " FROM act ORDER BY id"
    )
    op.drop_table("act")


def _create_audit_entry() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("coordinator_id", sa.Integer(), nullable=True),
        sa.Column("meeting_id", sa.Integer(), nullable=True),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=30), nullable=False),
        sa.Column("item_count", sa.Integer(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["coordinator_id"],
            ["coordinator.id"],
            name="fk_audit_entry_coordinator_id_coordinator",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["meeting.id"],
            name="fk_audit_entry_meeting_id_meeting",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_done_at", "audit_entry", ["done_at"])
