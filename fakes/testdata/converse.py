"""Drives botocore against a fake Bedrock and prints what it saw as JSON.

Usage: converse.py ENDPOINT_URL
"""

import json
import sys

import boto3
import botocore.config
import botocore.exceptions

client = boto3.client(
    "bedrock-runtime",
    endpoint_url=sys.argv[1],
    region_name="us-east-1",
    config=botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=60),
)

ask = {
    "modelId": "us.anthropic.claude-haiku-4-5-v1:0",
    "messages": [{"role": "user", "content": [{"text": "Say hello."}]}],
}


def stream():
    seen = {"events": [], "text": "", "reasoning": "", "tool": ""}
    try:
        for event in client.converse_stream(**ask)["stream"]:
            (name, value), = event.items()
            seen["events"].append(name)
            delta = value.get("delta", {})
            seen["text"] += delta.get("text", "")
            seen["reasoning"] += delta.get("reasoningContent", {}).get("text", "")
            seen["tool"] += delta.get("toolUse", {}).get("input", "")
            if name == "messageStop":
                seen["stop"] = value["stopReason"]
            if name == "metadata":
                seen["usage"] = value["usage"]
    except botocore.exceptions.ClientError as e:  # EventStreamError is one
        seen["error"] = e.response["Error"]["Code"]
        seen["status"] = e.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    except Exception as e:
        seen["error"] = type(e).__name__
    return seen


def reply():
    got = client.converse(**ask)
    return {"content": got["output"]["message"]["content"], "stop": got["stopReason"], "usage": got["usage"]}


json.dump(
    {
        "stream": stream(),
        "reply": reply(),
        "throttle": stream(),
        "exception": stream(),
        "unmodelled": stream(),
        "cut": stream(),
        "abort": stream(),
        "bad checksum": stream(),
    },
    sys.stdout,
)
