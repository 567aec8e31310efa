"""The registration site of a community of practice."""

from cop.app import create_app

__all__ = ["create_app"]
