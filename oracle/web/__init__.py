"""The oracle's HTTP server: liveness, readiness, metrics, status and webhooks. Other rooms mount their routes on it.

A request verifies nothing and hashes nothing. `app` makes the application, `server` runs it in a thread.
"""
