"""An account on moto, made with plain boto3 calls: what somebody without mlconsole could have left on AWS."""

from __future__ import annotations

import json
from typing import Any

REGION = "eu-west-1"
ROLE = "SageMaker-ExecutionRole"
IMAGE = f"141502667606.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:1.7-1"
BUCKET = f"sagemaker-{REGION}-123456789012"
ENDPOINT, JOB, TUNING, TRANSFORM, ALARM = (
    "fraud-live",
    "fraud-7",
    "fraud-search",
    "fraud-scores",
    "fraud-errors",
)


def furnish(session: Any) -> None:
    """Fill the account: a role, a bucket, ten training jobs, a tuning job, a transform job, two models and endpoints, an alarm."""
    role = _role(session.client("iam"))
    storage = session.client("s3")
    storage.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    storage.put_object(Bucket=BUCKET, Key="fraud/data/train.csv", Body=b"1,0.5,0.25\n0,0.1,0.75\n")
    sagemaker = session.client("sagemaker")
    for number in range(10):
        sagemaker.create_training_job(TrainingJobName=f"fraud-{number}", **_training(role))
    for name in ("fraud", "churn"):
        _endpoint(sagemaker, f"{name}-model", f"{name}-live", role)
    _search(sagemaker, role)
    sagemaker.create_transform_job(
        TransformJobName=TRANSFORM,
        ModelName="fraud-model",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/fraud/data/"}},
            "ContentType": "text/csv",
        },
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/fraud/scores/"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    _alarm(session.client("cloudwatch"))
    logs = session.client("logs")
    logs.create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{ENDPOINT}")


def _role(iam: Any) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    return str(iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"])


def _training(role: str) -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": role,
        "HyperParameters": {"num_round": "10", "objective": "binary:logistic"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{BUCKET}/fraud/data/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/fraud/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def _endpoint(sagemaker: Any, model: str, endpoint: str, role: str) -> None:
    sagemaker.create_model(
        ModelName=model,
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/fraud/out/model.tar.gz"},
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        "InitialVariantWeight": 1.0,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=f"{endpoint}-config", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=f"{endpoint}-config")


def _search(sagemaker: Any, role: str) -> None:
    sagemaker.create_hyper_parameter_tuning_job(**searching(TUNING, _training(role)))


def searching(name: str, training: dict[str, Any]) -> dict[str, Any]:
    """A search over what a training job is asked for."""
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.01", "MaxValue": "0.3"}]
            },
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": training["HyperParameters"],
            "AlgorithmSpecification": training["AlgorithmSpecification"],
            "RoleArn": training["RoleArn"],
            "InputDataConfig": training["InputDataConfig"],
            "OutputDataConfig": training["OutputDataConfig"],
            "ResourceConfig": training["ResourceConfig"],
            "StoppingCondition": training["StoppingCondition"],
        },
    }


def _alarm(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName=ALARM,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[
            {"Name": "EndpointName", "Value": ENDPOINT},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
