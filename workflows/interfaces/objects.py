"""S3 through boto3: both interfaces share what the SageMaker SDK has no own way for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workflows.interfaces.absence import absent
from workflows.problem import Problem


def parts(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of ``s3://bucket/key``."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    """Makes the bucket when it does not exist, as the SageMaker SDK does with its default bucket."""
    from botocore.exceptions import ClientError

    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if not absent(error):
            raise
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            s3.create_bucket(Bucket=bucket, **where)
        except ClientError as taken:  # by a try whose answer was lost, or by another run of this account
            if taken.response.get("Error", {}).get("Code") != "BucketAlreadyOwnedByYou":
                raise


def download(s3: Any, uri: str, path: Path) -> None:
    """Fetches an object into a file, which appears only when it is complete.

    Raises:
        Problem: There is no such object: S3 says only "Not Found", and of what it does not say.
    """
    from botocore.exceptions import ClientError

    bucket, key = parts(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        s3.download_file(bucket, key, str(path))
    except ClientError as error:
        if not absent(error):
            raise
        raise Problem(
            f"There is no object {uri}.",
            "The job that should have written it left none, or it was deleted since: start a new run.",
            "NoSuchKey",
        ) from error


def exists(s3: Any, uri: str) -> bool:
    """Whether the object exists."""
    from botocore.exceptions import ClientError

    bucket, key = parts(uri)
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if absent(error):
            return False
        raise
    return True


def keys(s3: Any, prefix: str) -> list[str]:
    """The keys of the objects below an S3 URI; none when the bucket does not exist."""
    from botocore.exceptions import ClientError

    bucket, start = parts(prefix)
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{start}/")
        return [item["Key"] for page in pages for item in page.get("Contents", [])]
    except ClientError as error:
        if absent(error):
            return []
        raise


def delete(s3: Any, prefix: str) -> int:
    """Deletes the objects below an S3 URI, a thousand at a time; returns how many are deleted.

    What S3 refuses it tells one by one, in an answer that is no error: those do not count.
    """
    bucket, _ = parts(prefix)
    found, refused = keys(s3, prefix), 0
    for start in range(0, len(found), 1000):
        batch = [{"Key": key} for key in found[start : start + 1000]]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        refused += len(answer.get("Errors") or ())
    return len(found) - refused
