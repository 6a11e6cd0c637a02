"""A local server that stands in for Apple, Google and the browser vendors.

It speaks APNs, FCM v1 (with its OAuth token endpoint) and Web Push on one TLS port, is as
strict as they are, plays their faults on demand, and shows what its phones received on a page.
It knows nothing of Django and nothing of Pushbridge. How to use it: docs/sandbox.md.
"""
