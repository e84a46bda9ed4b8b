"""The web app's part of the printed script: plain boto3, the function's files as they are, and everything undone at the end."""

from __future__ import annotations

import json

from workflows.lessons import boosted
from workflows.studies import pieces
from workflows.webapp import creation, package
from workflows.webapp.contract import REVIEW
from workflows.webapp.definition import HANDLER, MEMORY, RESOURCE, RUNTIME, STAGE, TIMEOUT

_WEBAPP = '''
APP = f"webapp-{NAME}"
REVIEW = $review
iam, functions, gateway = (session.client(service) for service in ("iam", "lambda", "apigateway"))
ACCOUNT = ROLE.split(":")[4]
PARTITION = ROLE.split(":")[1]
TRUST = $trust
ALLOWED = $allowed
ERRORS = $errors


def patiently(call, **asked):
    """AWS's Lambda knows a new role only after some seconds."""
    for _ in range(30):
        try:
            return call(**asked)
        except functions.exceptions.InvalidParameterValueException as error:
            if "cannot be assumed" not in str(error) or POLL < 1:
                raise
            time.sleep(2)
    raise SystemExit("Lambda does not get to know the role.")


def make_role():
    def arn(service, resource):
        return f"arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{resource}"

    def allowed(resource, *actions):
        return {"Effect": "Allow", "Action": list(actions), "Resource": resource}

    role = iam.create_role(RoleName=APP, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    statements = [
        allowed(arn("sagemaker", f"endpoint/{NAME.lower()}"), "sagemaker:InvokeEndpoint", "sagemaker:DescribeEndpoint"),
        allowed(arn("sagemaker", "endpoint-config/*"), "sagemaker:DescribeEndpointConfig"),
        allowed(arn("sagemaker", "model/*"), "sagemaker:DescribeModel", "sagemaker:ListTags"),
        allowed(arn("logs", f"log-group:/aws/lambda/{APP}:*"), "logs:CreateLogStream", "logs:PutLogEvents"),
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    iam.put_role_policy(RoleName=APP, PolicyName="webapp", PolicyDocument=json.dumps(policy))
    return role


def make_function(role, known=""):
    """The function: its files (at the end of this script), and the vocabulary of a model that counts words, in one zip."""
    data = io.BytesIO()
    files = {**FUNCTION_SOURCE, "vocabulary.json": known} if known else FUNCTION_SOURCE
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)
    logs.create_log_group(logGroupName=f"/aws/lambda/{APP}")
    version = json.loads(known)["version"] if known else ""
    variables = {"ENDPOINT": NAME, "CONTENT_TYPE": "$kind", "VOCABULARY": version}
    made = patiently(
        functions.create_function,
        FunctionName=APP,
        Role=role,
        Runtime="$runtime",
        Handler="$handler",
        Timeout=$timeout,
        MemorySize=$memory,
        Environment={"Variables": variables},
        Code={"ZipFile": data.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=APP)
    return made["FunctionArn"]


def make_api(function):
    """GET / is the page, POST /$resource asks the model, OPTIONS lets pages from elsewhere in."""
    made = gateway.create_rest_api(name=APP, endpointConfiguration={"types": ["REGIONAL"]})
    api, root = made["id"], made["rootResourceId"]
    asked = gateway.create_resource(restApiId=api, parentId=root, pathPart="$resource")["id"]
    uri = f"arn:{PARTITION}:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
    for resource, method in ((root, "GET"), (asked, "POST")):
        where = {"restApiId": api, "resourceId": resource, "httpMethod": method}
        gateway.put_method(**where, authorizationType="NONE")
        gateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    where = {"restApiId": api, "resourceId": asked, "httpMethod": "OPTIONS"}
    headers = {f"method.response.header.{name}": value for name, value in ALLOWED.items()}
    gateway.put_method(**where, authorizationType="NONE")
    gateway.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    gateway.put_method_response(**where, statusCode="200", responseParameters=dict.fromkeys(headers, False))
    gateway.put_integration_response(**where, statusCode="200", responseParameters=headers)
    for kind, template in ERRORS.items():
        gateway.put_gateway_response(
            restApiId=api,
            responseType=kind,
            responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
            responseTemplates={"application/json": template},
        )
    functions.add_permission(
        FunctionName=APP,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:{PARTITION}:execute-api:{REGION}:{ACCOUNT}:{api}/*/*",
    )
    gateway.create_deployment(restApiId=api, stageName="$stage")
    here = os.environ.get("AWS_ENDPOINT_URL")
    if here:
        return f"{here}/restapis/{api}/$stage/_user_request_/"
    return f"https://{api}.execute-api.{REGION}.amazonaws.com/$stage/"


def visit(url, review):
    """What the page does: a POST without any signature."""
    body = json.dumps({"review": review}).encode()
    asked = urllib.request.Request(f"{url}$resource", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=40) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def undo_webapp():
    """API, function, role and log group; what is not there is passed over."""
    apis = [one["id"] for page in gateway.get_paginator("get_rest_apis").paginate() for one in page["items"] if one["name"] == APP]
    for delete in (
        *(lambda api=api: gateway.delete_rest_api(restApiId=api) for api in apis),
        lambda: functions.delete_function(FunctionName=APP),
        lambda: iam.delete_role_policy(RoleName=APP, PolicyName="webapp"),
        lambda: iam.delete_role(RoleName=APP),
        lambda: logs.delete_log_group(logGroupName=f"/aws/lambda/{APP}"),
    ):
        try:
            delete()
        except client.exceptions.ClientError as error:
            print("not deleted:", error)

'''


def piece(review: str, counting: bool) -> str:
    """The functions of the web app, and what they use. ``counting``: the model takes counts of words, not the review itself."""
    values = {
        "review": repr(review or REVIEW),
        "kind": boosted.LIBSVM if counting else "text/plain",
        "trust": json.dumps(creation.TRUST),
        "allowed": pieces.literal(creation.ALLOWED),
        "errors": pieces.literal(creation.ERRORS),
        "runtime": RUNTIME,
        "handler": HANDLER,
        "timeout": str(TIMEOUT),
        "memory": str(MEMORY),
        "resource": RESOURCE,
        "stage": STAGE,
    }
    text = _WEBAPP
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    return text


def sources() -> str:
    """The function's files, without the vocabulary, as the script's last part."""
    return pieces.sources(package.contents(None), "FUNCTION_SOURCE")
