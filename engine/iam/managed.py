"""The managed policies of AWS that the users of this engine's services attach, with the actions that they allow.

Source: the AWS Managed Policy Reference. AmazonSageMakerFullAccess is reduced to the services on this engine's port and to those
that tools simulate; its conditions on tags and on names with "sagemaker" are kept where they decide about S3 objects and roles.
"""

from __future__ import annotations

from typing import Any

CREATED = 1_511_900_000.0


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", **statement} for statement in statements],
    }


_ARN = "arn:aws:iam::aws:policy/"
MANAGED: dict[str, dict[str, Any]] = {
    f"{_ARN}AdministratorAccess": _document({"Action": "*", "Resource": "*"}),
    f"{_ARN}AmazonS3FullAccess": _document({"Action": ["s3:*", "s3-object-lambda:*"], "Resource": "*"}),
    f"{_ARN}AmazonS3ReadOnlyAccess": _document(
        {"Action": ["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"], "Resource": "*"}
    ),
    f"{_ARN}CloudWatchLogsFullAccess": _document({"Action": ["logs:*", "cloudwatch:GenerateQuery"], "Resource": "*"}),
    f"{_ARN}CloudWatchFullAccess": _document(
        {"Action": ["autoscaling:Describe*", "cloudwatch:*", "logs:*", "sns:*", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole"], "Resource": "*"}
    ),
    f"{_ARN}service-role/AWSLambdaBasicExecutionRole": _document(
        {"Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
    ),
    f"{_ARN}service-role/AWSLambdaRole": _document({"Action": "lambda:InvokeFunction", "Resource": "*"}),
    f"{_ARN}AWSLambda_ReadOnlyAccess": _document(
        {"Action": ["lambda:Get*", "lambda:List*", "logs:DescribeLogGroups", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"], "Resource": "*"}
    ),
    f"{_ARN}AWSLambda_FullAccess": _document(
        {"Action": ["lambda:*", "logs:DescribeLogGroups", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "iam:GetPolicy",
                    "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
                    "iam:ListRolePolicies", "iam:ListRoles"], "Resource": "*"},
        {"Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}},
    ),
    f"{_ARN}AmazonAPIGatewayAdministrator": _document({"Action": "apigateway:*", "Resource": "arn:aws:apigateway:*::/*"}),
    f"{_ARN}AmazonAPIGatewayInvokeFullAccess": _document(
        {"Action": ["execute-api:Invoke", "execute-api:ManageConnections"], "Resource": "arn:aws:execute-api:*:*:*"}
    ),
    f"{_ARN}AmazonSageMakerReadOnly": _document(
        {
            "Action": ["sagemaker:Describe*", "sagemaker:List*", "sagemaker:BatchGetMetrics", "sagemaker:GetDeviceRegistration",
                       "sagemaker:GetDeviceFleetReport", "sagemaker:GetSearchSuggestions", "sagemaker:BatchGetRecord",
                       "sagemaker:GetRecord", "sagemaker:Search", "sagemaker:QueryLineage", "cloudwatch:DescribeAlarms"],
            "Resource": "*",
        }
    ),
    f"{_ARN}AmazonSageMakerFullAccess": _document(
        {"Action": "sagemaker:*", "Resource": "*"},
        {
            "Action": [
                "application-autoscaling:*", "cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData",
                "cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics", "cloudwatch:PutMetricAlarm",
                "cloudwatch:PutMetricData", "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission", "ec2:Describe*",
                "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CreateRepository", "ecr:Describe*",
                "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer", "ecr:StartImageScan", "iam:GetRole", "iam:ListRoles",
                "kms:DescribeKey", "kms:ListAliases", "lambda:ListFunctions", "logs:CreateLogDelivery", "logs:CreateLogGroup",
                "logs:CreateLogStream", "logs:DeleteLogDelivery", "logs:Describe*", "logs:GetLogDelivery", "logs:GetLogEvents",
                "logs:ListLogDeliveries", "logs:PutLogEvents", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
                "s3:CreateBucket", "s3:GetBucketLocation", "s3:ListBucket", "s3:ListAllMyBuckets", "s3:GetBucketCors",
                "s3:PutBucketCors", "sts:GetCallerIdentity",
            ],
            "Resource": "*",
        },
        {
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            "Resource": ["arn:aws:s3:::*SageMaker*", "arn:aws:s3:::*Sagemaker*", "arn:aws:s3:::*sagemaker*", "arn:aws:s3:::*aws-glue*"],
        },
        {
            "Action": "lambda:InvokeFunction",
            "Resource": [f"arn:aws:lambda:*:*:function:*{name}*" for name in ("SageMaker", "sagemaker", "Sagemaker", "LabelingFunction")],
        },
        {
            "Action": "iam:PassRole",
            "Resource": "arn:aws:iam::*:role/*",
            "Condition": {"StringEquals": {"iam:PassedToService": ["glue.amazonaws.com", "robomaker.amazonaws.com", "states.amazonaws.com", "sagemaker.amazonaws.com"]}},
        },
        {"Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/*AmazonSageMaker*"},
    ),
}  # fmt: skip
