// The signed-in session. Both tokens live in this module's memory only: a reload or a closed tab forgets them, and nothing
// on the machine can be copied from disk.

import { send, type Answer } from './graphql';

export interface Viewer {
  displayName: string;
  stores: { role: string; store: { code: string; name: string } }[];
}

interface Tokens {
  accessToken: string;
  accessTokenExpiresAt: string;
  refreshToken: string;
}

interface TokenPayload {
  tokens: Tokens | null;
  userErrors: { code: string; message: string }[];
}

const TOKENS = 'tokens { accessToken accessTokenExpiresAt refreshToken } userErrors { code message }';
const SIGN_IN = `mutation SignIn($input: SignInInput!) { signIn(input: $input) { ${TOKENS} } }`;
const REFRESH = `mutation Refresh($input: SessionRefreshInput!) { sessionRefresh(input: $input) { ${TOKENS} } }`;
const SIGN_OUT = 'mutation SignOut { signOut { signedOut } }';
const VIEWER = 'query Viewer { viewer { displayName stores { role store { code name } } } }';

// Refreshed this long before it ends, so that a request in flight does not lose its token.
const EARLY_MS = 30_000;

let tokens: Tokens | null = null;
let refreshing: Promise<string | null> | null = null;
let onEnd: (reason: string) => void = () => {};

export function onSessionEnd(listener: (reason: string) => void): void {
  onEnd = listener;
}

function problem(answer: Answer<unknown>, payload?: TokenPayload): string {
  return payload?.userErrors[0]?.message ?? answer.errors?.[0]?.message ?? 'The server did not answer. Try again.';
}

export async function signIn(login: string, password: string): Promise<void> {
  const input = { login: login.trim(), password, deviceLabel: 'GraphiQL' };
  const answer = await send<{ signIn: TokenPayload }>({ query: SIGN_IN, variables: { input } }, null);
  const payload = answer.data?.signIn;
  if (!payload?.tokens) throw new Error(problem(answer, payload));
  tokens = payload.tokens;
}

// Several requests may find the token old at once; they share one refresh, because a refresh token works once.
async function refresh(): Promise<string | null> {
  const old = tokens;
  if (!old) return null;
  const answer = await send<{ sessionRefresh: TokenPayload }>(
    { query: REFRESH, variables: { input: { refreshToken: old.refreshToken } } },
    null,
  );
  const payload = answer.data?.sessionRefresh;
  if (payload?.tokens) {
    tokens = payload.tokens;
    return tokens.accessToken;
  }
  if (payload) {
    tokens = null;
    onEnd(problem(answer, payload));
    return null;
  }
  return old.accessToken;
}

// A valid access token, refreshed when it is about to end. Null when nobody is signed in.
export async function accessToken(force = false): Promise<string | null> {
  if (!tokens) return null;
  if (!force && Date.parse(tokens.accessTokenExpiresAt) - Date.now() > EARLY_MS) return tokens.accessToken;
  refreshing ??= refresh().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

export async function signOut(): Promise<void> {
  const token = await accessToken();
  tokens = null;
  if (token) await send({ query: SIGN_OUT }, token);
}

export async function viewer(): Promise<Viewer | null> {
  const answer = await send<{ viewer: Viewer | null }>({ query: VIEWER }, await accessToken());
  return answer.data?.viewer ?? null;
}
