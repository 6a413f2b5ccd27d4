"""From runs to subjects and groups."""
