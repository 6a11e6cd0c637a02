"""The servers and processes that `up` and `test` run (docs/decisions/embedded-servers.md)."""
