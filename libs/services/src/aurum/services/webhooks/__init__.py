"""Webhooks: addresses of tenants to which events are sent, signed, until they are received or a day has passed."""
