"""Discord: one agent's bot, by its own token, on discord.py."""
