"""What AWS does and the embedded cloud does not: said, so that nobody takes it for granted."""

from __future__ import annotations

from labkit.cloud.rules.registry import not_emulated

not_emulated(
    "pass_role",
    "iam",
    "Not looked at: the cloud's own credentials may do everything.",
    aws="CreateFunction needs iam:PassRole for the role that it names.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/access_controlling.html",
    ministack="Not looked at.",
)
not_emulated(
    "permissions_of_callers",
    "every service",
    "MiniStack's own evaluation for sessions of STS and of functions; it judges some actions against * where AWS names "
    "a resource. Not for learning least privilege.",
    aws="Every call is allowed or denied by the caller's policies.",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html",
    ministack="In part.",
)
not_emulated(
    "users_and_access_keys",
    "iam",
    "The cloud's own credentials and sessions of its STS are believed, and no others: an IAM user's keys are not.",
    aws="IAM users have access keys.",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
    ministack="In part.",
)
not_emulated(
    "quotas",
    "every service",
    "No quota is counted; throttling comes in rough weather only.",
    aws="Calls a second, resources a region, routes an API, scopes a route, and many more.",
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html",
    ministack="Counts none.",
)
not_emulated(
    "large_bodies",
    "every service",
    "A body of more than 10 MB is refused with 413: the lab sends a thousandth of that.",
    aws="An HTTP API takes 10 MB, a deployment package may have 50 MB.",
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html",
    ministack="Takes bodies of any size.",
)
not_emulated(
    "http_2",
    "every service",
    "HTTP/1.1 only; an offer of HTTP/2 is passed over.",
    aws="API Gateway speaks HTTP/2, too.",
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vs-rest.html",
    confidence="inferred",
    ministack="Speaks HTTP/2, without TLS, too.",
)
not_emulated(
    "isolation_of_functions",
    "lambda",
    "A function is a process of the learner's own, and can do all that the learner can: read files, use the network. "
    "It has an environment, a HOME and a working folder of its own and ends with the cloud, which is hardening and no "
    "sandbox. Run no code that you would not run in your terminal.",
    aws="Each execution environment is a virtual machine of its own.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/lambda-security.html",
    ministack="Hands the server's environment over, too.",
)
not_emulated(
    "runtime_versions",
    "lambda",
    "Every Python runtime is the Python that the lab runs in, every Node.js runtime the `node` of this machine. "
    "Layers, VPCs, memory limits and architectures change nothing.",
    aws="Each runtime is that version of the language, on Amazon Linux.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    ministack="The same as here.",
)
not_emulated(
    "trigger_time_limit",
    "cognito-idp",
    "A trigger may take as long as its function's own timeout, and is never tried again.",
    aws="Cognito waits five seconds for a trigger, and may try again.",
    source=""
    "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html",
    ministack="The same as here.",
)
not_emulated(
    "cors",
    "execute-api",
    "An API's CORS settings are kept and not served: no page of another origin is answered at all.",
    aws="API Gateway answers preflight requests and adds CORS headers as the API says.",
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html",
    ministack="As the API says.",
)
not_emulated(
    "access_logs",
    "execute-api",
    "A stage's access log settings are kept, and nothing is written.",
    aws="Each request is a line in the access log, with the authorizer's error.",
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html",
    ministack="The same as here.",
)
not_emulated(
    "host_names",
    "every service",
    "Everything is on one host and port of this machine, by http. An API is also found under its id in the path.",
    aws="Each API, each user pool's keys and each domain has its own host name, by https.",
    source="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-publish.html",
    ministack="The same as here.",
)
not_emulated(
    "hosted_sign_in",
    "cognito-idp",
    "A plain page for the code grant. No managed login, branding, sign-in cookie, implicit grant or /oauth2/revoke.",
    aws="Managed login and the classic hosted UI.",
    source="https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-managed-login.html",
    ministack="The same as here.",
)
not_emulated(
    "browser_apps",
    "cognito-idp",
    "No page of another origin is answered, so an app in the browser (Amplify and the like) cannot sign in here; the "
    "same code in Node.js can.",
    aws="Cognito's calls for users answer pages of every origin.",
    source="https://github.com/aws-amplify/amplify-js/issues/7285",
    confidence="inferred",
    ministack="Answers every origin.",
)
not_emulated(
    "codes_and_second_factors",
    "cognito-idp",
    "Refused by their names: no message leaves this cloud, so no code does. So are apps, passkeys, remembered devices "
    "and custom challenges; users are made by administrators, and sign in with passwords.",
    aws="SignUp, ForgotPassword, AssociateSoftwareToken and the like; codes by e-mail, text message and app.",
    source="https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html",
    ministack="Takes constant codes, sign-ups to pools that only administrators may fill, and challenges that nobody "
    "was asked.",
)
