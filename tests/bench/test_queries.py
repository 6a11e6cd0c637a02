from bench.queries import parse_statements

LOG = """\
database=a LOG:  statement: BEGIN
database=b LOG:  statement: SELECT 1
database=a LOG:  statement: INSERT INTO x
\t    VALUES ('database=a LOG:  statement: ')
database=a LOG:  execute <unnamed>: SELECT 2
database=a LOG:  checkpoint starting
database= LOG:  received SIGHUP, reloading configuration files
"""


def test_statements_of_one_database_are_counted_once_each() -> None:
    assert parse_statements(LOG, "a") == 3
