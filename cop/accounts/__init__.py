"""Coordinators' accounts: sign-in, two-factor sign-in, resets, invitations."""
