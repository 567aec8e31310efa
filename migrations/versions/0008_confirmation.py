"""A submitted form can be corrected, and answers added to it, for half an hour."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("email", "name"):
        op.add_column(
            "submission", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False)
        )
    op.add_column("submission", sa.Column("member_id", sa.Integer(), nullable=True))
    op.add_column("submission", sa.Column("registration_ids", sa.JSON(), nullable=True))
