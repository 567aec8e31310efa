"""All tables. They are in one room, since their foreign keys lead from each to each."""
