"""The door to Postgres: pool, named queries, migrations."""
