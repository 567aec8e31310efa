"""Operations: withdrawals, the key's fingerprint, and what the daily round needs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("community", sa.Column("write_probe_at", MOMENT, nullable=True))
    op.add_column("community", sa.Column("clock_confirmed_at", MOMENT, nullable=True))
    op.add_column("community", sa.Column("clock_seen_at", MOMENT, nullable=True))
    op.add_column("community", sa.Column("clock_steady_seconds", sa.Integer(), nullable=True))
    op.add_column("community", sa.Column("key_fingerprint", sa.String(length=16), nullable=True))
    op.add_column("community", sa.Column("key_changed_at", MOMENT, nullable=True))
    op.create_table(
        "withdrawal",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", "what", name=op.f("pk_withdrawal")),
    )
    op.create_index(op.f("ix_withdrawal_withdrawn_at"), "withdrawal", ["withdrawn_at"])
    op.execute(
        "INSERT INTO withdrawal (key, what, withdrawn_at) "
        "SELECT key, 'everything', erased_at FROM erasure"
    )
    op.drop_index(op.f("ix_erasure_erased_at"), "erasure")
    op.drop_table("erasure")
    op.create_index("ix_registration_member_id", "registration", ["member_id"])
