// How GraphiQL reaches the server: queries and mutations by POST, subscriptions by graphql-transport-ws on the same path
// with the token in connection_init.

import type { Fetcher, FetcherParams } from '@graphiql/toolkit';
import { parse, type ExecutionResult } from 'graphql';
import { createClient, type Client } from 'graphql-ws';

import { ENDPOINT, isUnauthenticated, send } from './graphql';
import { accessToken } from './session';

// The server ends a stream with one of these when its token has expired.
const TOKEN_ENDED = [4401, 4403];

function isSubscription(params: FetcherParams): boolean {
  try {
    const operations = parse(params.query).definitions.filter((d) => d.kind === 'OperationDefinition');
    const chosen = operations.find((o) => o.name?.value === params.operationName) ?? operations[0];
    return chosen?.operation === 'subscription';
  } catch {
    return false;
  }
}

function client(): Client {
  return createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${ENDPOINT}`,
    lazy: true,
    retryAttempts: 5,
    connectionParams: async () => {
      const token = await accessToken();
      return token ? { authorization: `Bearer ${token}` } : {};
    },
  });
}

async function* subscribe(params: FetcherParams): AsyncGenerator<ExecutionResult> {
  const payload = { query: params.query, variables: params.variables as Record<string, unknown>, operationName: params.operationName };
  for (;;) {
    const ws = client();
    try {
      yield* ws.iterate(payload) as AsyncIterable<ExecutionResult>;
      return;
    } catch (error) {
      const code = (error as { code?: number }).code;
      if (code === undefined || !TOKEN_ENDED.includes(code)) throw readable(error);
      if (!(await accessToken(true))) throw new Error('You are signed out. Sign in and run it again.');
    } finally {
      await ws.dispose();
    }
  }
}

function readable(error: unknown): unknown {
  const { code, reason } = error as { code?: number; reason?: string };
  return code === undefined ? error : new Error(`The live connection ended (${code}${reason ? `, ${reason}` : ''}).`);
}

export const fetcher: Fetcher = (params, options) => {
  if (isSubscription(params)) return subscribe(params) as ReturnType<Fetcher>;
  return (async () => {
    const headers = (options?.headers ?? {}) as Record<string, string>;
    const answer = await send(params, await accessToken(), headers);
    if (!isUnauthenticated(answer)) return answer;
    const fresh = await accessToken(true);
    return fresh ? send(params, fresh, headers) : answer;
  })() as ReturnType<Fetcher>;
};
