"""The grants of a role: its own, those of the roles granted to it, and PUBLIC's, as SHOW GRANTS lists them."""

from __future__ import annotations

from dataclasses import dataclass

from hnintel.doctor.snowflake.account import Account, parts, quoted
from hnintel.errors import WarehouseError

#: Bounds the walk through roles granted to roles; Snowflake allows no circle.
_MOST_ROLES = 200
#: The types of objects that versions of SHOW GRANTS spell differently.
_KINDS = {"DATABASE ROLE": "DATABASE_ROLE", "APPLICATION ROLE": "APPLICATION_ROLE"}


@dataclass(frozen=True, slots=True)
class Grant:
    """A privilege on an object; ``name`` is split into its parts, and empty for the account."""

    privilege: str
    on: str
    name: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """All grants of a role, its own and inherited, and the roles whose grants it may not list."""

    role: str
    grants: frozenset[Grant]
    roles: frozenset[str]
    unseen: tuple[str, ...] = ()

    def has(self, privilege: str, on: str, *name: str) -> bool:
        """Return whether the role has the privilege, or owns the object, which includes every privilege."""
        given = () if on == "ACCOUNT" else name
        sufficient = {Grant(privilege, on, given), Grant("OWNERSHIP", on, given), Grant("ALL PRIVILEGES", on, given)}
        return not sufficient.isdisjoint(self.grants)

    def has_database_role(self, *name: str) -> bool:
        """Return whether the role has a database role; some versions list those of PUBLIC without their database."""
        return bool({Grant("USAGE", "DATABASE_ROLE", name), Grant("USAGE", "DATABASE_ROLE", name[-1:])} & self.grants)

    def has_application_role(self, *name: str) -> bool:
        """Return whether the role has an application role."""
        return Grant("USAGE", "APPLICATION_ROLE", name) in self.grants


def held(account: Account, role: str) -> Held:
    """Return the grants of *role*.

    Raises:
        WarehouseError: the role may not list its own grants.
    """
    grants: set[Grant] = set()
    seen: set[str] = set()
    unseen: list[str] = []
    waiting = [role, "PUBLIC"]
    while waiting and len(seen) < _MOST_ROLES:
        current = waiting.pop(0)
        if current in seen:
            continue
        seen.add(current)
        try:
            direct = _grants_to(account, current)
        except WarehouseError:
            if current == role:
                raise
            unseen.append(current)
            continue
        grants |= direct
        waiting += [".".join(grant.name) for grant in direct if grant.on == "ROLE" and grant.privilege == "USAGE"]
    return Held(role, frozenset(grants), frozenset(seen), tuple(unseen))


def _grants_to(account: Account, role: str) -> set[Grant]:
    granted = set()
    for row in account.execute(f"SHOW GRANTS TO ROLE {quoted(role)}"):
        kind = str(row["granted_on"]).upper()
        on = _KINDS.get(kind, kind)
        granted.add(Grant(str(row["privilege"]).upper(), on, () if on == "ACCOUNT" else parts(str(row["name"]))))
    return granted
