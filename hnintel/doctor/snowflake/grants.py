"""What a role holds: its own grants, those of the roles granted to it, and PUBLIC's, as SHOW GRANTS lists them."""

from __future__ import annotations

from dataclasses import dataclass

from hnintel.doctor.snowflake.account import Account, parts, quoted
from hnintel.errors import WarehouseError

#: Bounds the walk through roles granted to roles; Snowflake allows no circle.
_MOST_ROLES = 200
#: What SHOW GRANTS calls an object, where versions of it differ.
_KINDS = {"DATABASE ROLE": "DATABASE_ROLE", "APPLICATION ROLE": "APPLICATION_ROLE"}


@dataclass(frozen=True, slots=True)
class Grant:
    """A privilege on an object; ``name`` is taken apart, and empty for the account."""

    privilege: str
    on: str
    name: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """Everything that a role holds, of itself or by another role, and the roles whose grants it could not see."""

    role: str
    grants: frozenset[Grant]
    roles: frozenset[str]
    unseen: tuple[str, ...] = ()

    def has(self, privilege: str, on: str, *name: str) -> bool:
        """Whether the role has the privilege, or owns the object, which comes to the same."""
        given = () if on == "ACCOUNT" else name
        wanted = {Grant(privilege, on, given), Grant("OWNERSHIP", on, given), Grant("ALL PRIVILEGES", on, given)}
        return not wanted.isdisjoint(self.grants)

    def has_database_role(self, *name: str) -> bool:
        """Whether a database role is granted to it; PUBLIC's are listed without their database by some versions."""
        return bool({Grant("USAGE", "DATABASE_ROLE", name), Grant("USAGE", "DATABASE_ROLE", name[-1:])} & self.grants)

    def has_application_role(self, *name: str) -> bool:
        """Whether an application role is granted to it."""
        return Grant("USAGE", "APPLICATION_ROLE", name) in self.grants


def held(account: Account, role: str) -> Held:
    """What *role* holds.

    Raises:
        WarehouseError: not even its own grants can be seen.
    """
    grants: set[Grant] = set()
    seen: set[str] = set()
    unseen: list[str] = []
    waiting = [role, "PUBLIC"]
    while waiting and len(seen) < _MOST_ROLES:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        try:
            found = _grants_to(account, one)
        except WarehouseError:
            if one == role:
                raise
            unseen.append(one)
            continue
        grants |= found
        waiting += [".".join(grant.name) for grant in found if grant.on == "ROLE" and grant.privilege == "USAGE"]
    return Held(role, frozenset(grants), frozenset(seen), tuple(unseen))


def _grants_to(account: Account, role: str) -> set[Grant]:
    found = set()
    for row in account.execute(f"SHOW GRANTS TO ROLE {quoted(role)}"):
        kind = str(row["granted_on"]).upper()
        on = _KINDS.get(kind, kind)
        found.add(Grant(str(row["privilege"]).upper(), on, () if on == "ACCOUNT" else parts(str(row["name"]))))
    return found
