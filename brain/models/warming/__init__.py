"""What an SDK does at its first request only, done before the fork: it builds the types of its
answers when it meets them. Nothing is sent: a function answers instead of a network.

Each process would do it for itself otherwise.
"""
