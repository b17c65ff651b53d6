"""Take over what Lidify (now Kima) has in its database: read there, translate, write here, report."""
