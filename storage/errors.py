"""Errors of this package.

StorageError
├── StoreUnavailable
├── SchemaTooNew
├── LeaseLost
├── LatchUnreadable
├── PermitRefused
└── LedgerRefused
    ├── NoSuchAccount
    ├── NoSuchHold
    ├── TooFewCredits
    ├── HoldResolved
    └── AlreadyDifferent
"""


class StorageError(Exception):
    """What is remembered could not be read or written."""


class StoreUnavailable(StorageError):
    """The database cannot be used now: locked, unreachable, full, read-only or damaged."""


class SchemaTooNew(StorageError):
    """A newer Parley wrote this database; update this one or point it at another database."""


class LeaseLost(StorageError):
    """Another process holds this lease now; what was done under the old epoch is refused."""


class LatchUnreadable(StorageError):
    """The kill latch cannot be read, so the swarm counts as killed."""


class PermitRefused(StorageError):
    """This act has no permit, or the permit is for something else."""


class LedgerRefused(StorageError):
    """No credits are moved: the ledger does not take this."""


class NoSuchAccount(LedgerRefused):
    """Nobody has opened this account."""


class NoSuchHold(LedgerRefused):
    """Nobody has authorised this hold."""


class TooFewCredits(LedgerRefused):
    """The account has less than that."""


class HoldResolved(LedgerRefused):
    """The hold has less left than that: it was captured, voided, refunded or is overdue."""


class AlreadyDifferent(LedgerRefused):
    """This id was used before, for something else."""
