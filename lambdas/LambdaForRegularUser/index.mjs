/**
 * The function behind `GET /RegularUser`: whoever reaches it has already been let through by the JWT authorizer.
 *
 * What comes in and goes out (payload format 2.0):
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */

/** Answer 200 with a greeting, as a JSON string: with its quotation marks. */
export const handler = async (event) => {
  // The authorizer hands on the claims of the token that it accepted. A test event in the console has none.
  const claims = event.requestContext?.authorizer?.jwt?.claims ?? {};

  // One line for the log: which route was called, and by whom. The token itself is never logged.
  console.log(JSON.stringify({ route: event.routeKey ?? null, user: claims["cognito:username"] ?? null }));
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify("Hello from Regular User"),
  };
};
