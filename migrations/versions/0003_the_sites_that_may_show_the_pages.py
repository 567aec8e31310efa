"""The sites in whose pages ours may be shown."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("community") as batch_op:
        batch_op.add_column(
            sa.Column("embed_hosts", sa.JSON(), nullable=False, server_default="[]")
        )
    with op.batch_alter_table("community") as batch_op:
        batch_op.alter_column("embed_hosts", server_default=None)
