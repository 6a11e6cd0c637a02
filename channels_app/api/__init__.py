"""`/api/v1/` for apps: what every endpoint shares, and the bridge's own endpoints.

One module for each concept, with its views and serializers; `urls` lists them. `claims` and
`workflows` build theirs on the same bases. How requests are authenticated and errors become
answers is wiring: `pushbridge.api`.
"""
