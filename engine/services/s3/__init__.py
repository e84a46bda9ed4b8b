"""Amazon S3: buckets, objects, listings, multipart uploads, tags, and what an unconfigured bucket says of its configuration."""
