"""What stands between a person and a change: read-only mode, the audit log, and rehearsals that send nothing."""
