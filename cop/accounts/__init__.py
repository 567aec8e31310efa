"""Coordinators: accounts, sign-in, two-factor sign-in, password reset and invitations."""
