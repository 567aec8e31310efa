"""Absolute addresses for everything that leaves this site, without Flask and without a request."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Links:
    """The site's addresses below one base such as `https://cop.example.org`."""

    base: str

    def page(self, path: str) -> str:
        """The absolute address of a path that starts with a slash."""
        return f"{self.base}{path}"

    @property
    def schedule(self) -> str:
        return self.page("/schedule")

    def meeting(self, slug: str) -> str:
        return self.page(f"/schedule/{slug}")

    def set_up(self, token: str) -> str:
        return self.page(f"/coordinator/set-up/{token}")
