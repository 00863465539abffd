"""The function behind `GET /RegularUser`: whoever reaches it has already been let through by the JWT authorizer.

What comes in and goes out (payload format 2.0):
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import json


def lambda_handler(event: dict, context: object) -> dict:
    """Answer 200 with a greeting, as a JSON string: with its quotation marks."""
    # The authorizer hands on the claims of the token that it accepted. A test event in the console has none.
    authorizer = (event.get("requestContext") or {}).get("authorizer") or {}
    claims = (authorizer.get("jwt") or {}).get("claims") or {}

    # One line for the log: which route was called, and by whom. The token itself is never logged.
    print(json.dumps({"route": event.get("routeKey"), "user": claims.get("cognito:username")}))
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps("Hello from Regular User"),
    }
