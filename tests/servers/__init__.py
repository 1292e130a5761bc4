"""A loopback server that speaks Hacker News' two interfaces and the web, in whatever weather it is told."""

from tests.servers.material import Page, World
from tests.servers.server import LoopbackServer
from tests.servers.weather import Weather

__all__ = ["LoopbackServer", "Page", "Weather", "World"]
