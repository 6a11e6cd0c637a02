"""Quiet hours against an independent implementation: JavaScript and the Intl of Node."""
