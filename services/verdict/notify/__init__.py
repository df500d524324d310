"""Tells people and programs: a log line, signed webhooks, and retries that last three days."""
