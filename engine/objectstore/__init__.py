"""What stands behind `engine.objects`: the index, key paths, staged files, digests and multipart uploads."""
