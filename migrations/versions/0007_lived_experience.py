"""Lived experience is an answer of its own, apart from the roles that stand beside a name."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLE = "lived-experience"


def upgrade() -> None:
    op.add_column(
        "registration",
        sa.Column("lived_experience", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT id, hats FROM registration WHERE CAST(hats AS TEXT) LIKE :pattern"),
        {"pattern": f"%{ROLE}%"},
    ).all()
    update = sa.text(
        "UPDATE registration SET lived_experience = :is_true, hats = :hats WHERE id = :id"
    ).bindparams(sa.bindparam("hats", type_=sa.JSON()))
    for id_, stored in rows:
        roles = json.loads(stored) if isinstance(stored, str) else stored
        kept = [role for role in roles if role != ROLE]
        if kept != roles:
            connection.execute(update, {"id": id_, "is_true": True, "hats": kept})
