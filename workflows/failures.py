"""Errors as sentences with a next step."""

from __future__ import annotations


class WorkflowError(Exception):
    """Something that a person can act upon; the text is a sentence that names the thing and the remedy."""


class Cancelled(Exception):
    """The run was asked to stop."""


_SIGN_IN = "Sign in again (`aws sso login`, or new keys with `aws configure`) and resume the run."
_REMEDIES = {
    "ExpiredToken": f"The AWS session has expired. {_SIGN_IN}",
    "ExpiredTokenException": f"The AWS session has expired. {_SIGN_IN}",
    "RequestExpired": f"The AWS session has expired, or this machine's clock is wrong. {_SIGN_IN}",
    "InvalidClientTokenId": "AWS does not know this access key. Check --profile, or run `aws configure`.",
    "UnrecognizedClientException": "AWS does not know this access key. Check --profile, or run `aws configure`.",
    "SignatureDoesNotMatch": "AWS refused the signature: the secret key is wrong. Check --profile, or run `aws configure`.",
    "ResourceLimitExceeded": "Ask for a higher quota in the Service Quotas console, or choose another instance type.",
    "ThrottlingException": "The account's API budget is used up; wait a minute and resume the run.",
}


def explained(error: BaseException) -> str:
    """One sentence or two for an error of botocore or Python: what happened and what to do next."""
    name = type(error).__name__
    if name in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
        return (
            "No usable AWS credentials were found. Run `aws configure` or `aws sso login`, or give --profile; "
            "without an AWS account use --target embedded."
        )
    if name in (
        "SSOTokenLoadError",
        "UnauthorizedSSOTokenError",
        "TokenRetrievalError",
        "LoginRefreshRequired",
    ):
        return f"The AWS sign-in has expired. {_SIGN_IN}"
    if name == "ProfileNotFound":
        return f"{str(error).rstrip('.')}. `aws configure list-profiles` lists the profiles of this machine."
    if name in (
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ConnectionClosedError",
        "ReadTimeoutError",
        "ProxyConnectionError",
    ):
        return f"{str(error).rstrip('.')}. Check the network and the region, then resume the run."
    response = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        code = str(response["Error"].get("Code", ""))
        message = str(response["Error"].get("Message", "")).strip()
        operation = getattr(error, "operation_name", "the call")
        if code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"):
            return f"{operation} was denied: {message} Ask for that permission, or choose another --role or --profile."
        remedy = _REMEDIES.get(code, "")
        return f"{operation} failed with {code}: {message} {remedy}".strip()
    text = str(error).strip()
    return f"{name}: {text}" if text else name
