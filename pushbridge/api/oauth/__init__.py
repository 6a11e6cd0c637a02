"""Tokens of our own, for apps: the OAuth 2.0 authorization code grant with PKCE, by
django-oauth-toolkit. docs/decisions/api-tokens.md says what is its, and what is ours."""
