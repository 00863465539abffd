/**
 * The pre token generation trigger: Cognito calls it at each sign-in, before it signs the ID token.
 *
 * It turns the user's groups into the claim `scope`, which the JWT authorizer compares with the scopes of a route.
 * What comes in and goes out (event version V1_0):
 * https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
 */

/**
 * Return the event that came in, with the claims to add to the ID token in its `response`.
 *
 * The user of groups `admin` and `regular` who signs in through app client `abc` gets the scope
 * `admin-abc regular-abc`. A user without groups gets no `scope` claim: a list of scopes has at least one
 * (RFC 6749, section 3.3). Such a user signs in as before, and every route that asks for a scope answers 403.
 */
export const handler = async (event) => {
  // Each of these can be missing or null for a user without groups.
  const groups = event.request?.groupConfiguration?.groupsToOverride ?? [];
  const clientId = event.callerContext.clientId;

  // The app client's id makes a group's scope one of this application's, not of every application of the user pool.
  const scope = groups.map((group) => `${group}-${clientId}`).join(" ") || null;
  if (scope) {
    event.response = { claimsOverrideDetails: { claimsToAddOrOverride: { scope } } };
  }

  // One line for the log: what came in and what went out.
  const line = { trigger: event.triggerSource ?? null, user: event.userName ?? null, client_id: clientId };
  console.log(JSON.stringify({ ...line, groups, scope }));
  return event;
};
