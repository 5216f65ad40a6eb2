"""E1212: study that cannot be used."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1212",
    title="study that cannot be used",
    message="study `{study}` cannot be used: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
A study is a file of SQLite, or a database by its address, as in `postgresql://user@host/name`; spine makes the tables
that it needs. It cannot be used if there is none, if the file is no database or damaged, if no program answers at the
address, or if something else holds the database for longer than spine waits. What workers had finished is kept.
""",
)
