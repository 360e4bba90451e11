// One request to this server. The token is passed in; nothing here remembers it.

export const ENDPOINT = '/graphql';

export interface Answer<T = Record<string, unknown>> {
  data?: T | null;
  errors?: { message: string; extensions?: { code?: string; requestId?: string } }[];
}

export async function send<T>(body: object, token: string | null, headers: Record<string, string> = {}): Promise<Answer<T>> {
  const response = await fetch(ENDPOINT, {
    method: 'POST',
    credentials: 'omit',
    cache: 'no-store',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      ...headers,
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(body),
  });
  const type = response.headers.get('content-type') ?? '';
  if (!type.includes('json')) {
    return { errors: [{ message: `The server answered ${response.status} without JSON. Try again in a moment.` }] };
  }
  return (await response.json()) as Answer<T>;
}

export function isUnauthenticated(answer: Answer<unknown>): boolean {
  return (answer.errors ?? []).some((e) => e.extensions?.code === 'UNAUTHENTICATED');
}
