"""All tables, in one package because their foreign keys refer to each other."""
