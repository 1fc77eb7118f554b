"""Checks that checkov, as configured, finds known problems, also in SAM functions."""

import subprocess

from stack import PROJECT

BAD = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue:
    Type: AWS::SQS::Queue
  Logs:
    Type: AWS::Logs::LogGroup
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://bucket/key
      Handler: bootstrap
      Runtime: provided.al2023
      Environment: { Variables: { TOKEN: AKIAIOSFODNN7EXAMPLE, KEY: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY } }
"""


def test_checkov_finds_known_problems(tmp_path):
    (tmp_path / "bad.yaml").write_text(BAD)
    checkov = PROJECT / ".tools/checkov/bin/python3"
    command = [checkov, "-m", "checkov.main", "--config-file", PROJECT / ".checkov.yaml", "-f", tmp_path / "bad.yaml"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    for check, resource in (("27", "AWS::SQS::Queue.Queue"), ("45", "AWS::Serverless::Function.Function")):
        assert f"CKV_AWS_{check}:" in ended.stdout and resource in ended.stdout, ended.stdout
