"""Hooks: signed requests that land ahead of chat."""
