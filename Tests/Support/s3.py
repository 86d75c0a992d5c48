#!/usr/bin/env python3
"""A real S3 server for tests: moto, which checks the signature of every request. Prints where and how as JSON, then serves until
its input ends. Everything that it is asked is written to standard error, a line each: method, path and query, status."""

import json
import logging
import os
import sys
import threading

# So many calls go unchecked: those that make the user, its key, its rights and the bucket.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

import boto3  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402


class Lines(logging.Handler):
    def emit(self, record):
        print(record.getMessage(), file=sys.stderr, flush=True)


def main():
    log = logging.getLogger("werkzeug")
    log.setLevel(logging.INFO)
    log.handlers = [Lines()]
    log.propagate = False
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://%s:%d" % server.get_host_and_port()

    def client(service):
        return boto3.client(
            service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )

    iam = client("iam")
    iam.create_user(UserName="martlet")
    key = iam.create_access_key(UserName="martlet")["AccessKey"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="martlet", PolicyName="all", PolicyDocument=json.dumps(policy))
    client("s3").create_bucket(Bucket="models")
    print(
        json.dumps({"endpoint": endpoint, "key": key["AccessKeyId"], "secret": key["SecretAccessKey"], "bucket": "models"}),
        flush=True,
    )
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.stack_size(512 << 10)
    main()
