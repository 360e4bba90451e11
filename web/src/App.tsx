import { explorerPlugin } from '@graphiql/plugin-explorer';
import { PluginContextProvider } from '@graphiql/react';
import { GraphiQL } from 'graphiql';
import { buildClientSchema, getIntrospectionQuery, type GraphQLSchema, type IntrospectionQuery } from 'graphql';
import { useCallback, useEffect, useState, type FormEvent } from 'react';

import { fetcher } from './fetcher';
import { send } from './graphql';
import { SAVED } from './saved';
import { savedQueriesPlugin } from './SavedQueries';
import { accessToken, onSessionEnd, signIn, signOut, viewer, type Viewer } from './session';

const PLUGINS = [savedQueriesPlugin, explorerPlugin({ showAttribution: false })];

const WELCOME = `# Sign in above. Then pick a saved query on the left, or write your own:
# Ctrl-Space completes, Ctrl-Enter runs, the book icon shows the documentation.
`;

// Tabs and history go with the browser tab: what a manager types may name a customer.
const storage = window.sessionStorage;

async function loadSchema(): Promise<GraphQLSchema> {
  const query = getIntrospectionQuery({ inputValueDeprecation: true, schemaDescription: true });
  const answer = await send<IntrospectionQuery>({ query, operationName: 'IntrospectionQuery' }, await accessToken());
  if (!answer.data) throw new Error(answer.errors?.[0]?.message ?? 'The schema did not arrive.');
  return buildClientSchema(answer.data);
}

function firstQuery(): string {
  const linked = new URLSearchParams(location.search).get('query');
  return linked ?? SAVED[0]?.query ?? WELCOME;
}

// GraphiQL opens its side pane only when a plugin is visible before its first render, and it learns that in an effect. So the
// plugin is announced first and the page drawn after.
export function App() {
  const [announced, setAnnounced] = useState(false);
  if (announced) return <Page />;
  return (
    <PluginContextProvider plugins={PLUGINS} visiblePlugin={savedQueriesPlugin}>
      <Then act={() => setAnnounced(true)} />
    </PluginContextProvider>
  );
}

function Then({ act }: { act: () => void }) {
  useEffect(act, [act]);
  return null;
}

function Page() {
  const [who, setWho] = useState<Viewer | null>(null);
  const [schema, setSchema] = useState<GraphQLSchema | null>(null);
  const [problem, setProblem] = useState('');

  const arrive = useCallback(async () => {
    const person = await viewer();
    if (!person) return;
    setWho(person);
    setSchema(await loadSchema());
  }, []);

  useEffect(() => {
    onSessionEnd((reason) => {
      setWho(null);
      setProblem(reason);
    });
    // Behind a proxy that signs people in itself there is nothing to ask for.
    arrive().catch((error: unknown) => setProblem(String((error as Error).message)));
  }, [arrive]);

  const leave = async () => {
    await signOut().catch(() => {});
    storage.clear();
    setWho(null);
    setSchema(null);
  };

  return (
    <div className="page">
      <header className="bar">
        <h1>
          Deskless<small>GraphiQL</small>
        </h1>
        {who ? <Person who={who} leave={leave} /> : <SignIn arrive={arrive} problem={problem} setProblem={setProblem} />}
      </header>
      <GraphiQL
        fetcher={fetcher}
        schema={schema}
        plugins={PLUGINS}
        visiblePlugin={savedQueriesPlugin}
        defaultTabs={[{ query: firstQuery() }]}
        storage={storage}
        shouldPersistHeaders={false}
        isHeadersEditorEnabled={false}
        showPersistHeadersSettings={false}
        defaultEditorToolsVisibility="variables"
      >
        <GraphiQL.Logo>
          <></>
        </GraphiQL.Logo>
      </GraphiQL>
    </div>
  );
}

function Person({ who, leave }: { who: Viewer; leave: () => Promise<void> }) {
  const stores = who.stores.map((r) => `${r.store.name} (${r.role.toLowerCase().replaceAll('_', ' ')})`).join(' · ');
  return (
    <>
      <span className="space" />
      <span className="who" data-testid="viewer">
        {who.displayName}
      </span>
      <span className="stores" title={stores}>
        {stores}
      </span>
      <button className="quiet" type="button" onClick={() => void leave()}>
        Sign out
      </button>
    </>
  );
}

interface SignInProps {
  arrive: () => Promise<void>;
  problem: string;
  setProblem: (text: string) => void;
}

function SignIn({ arrive, problem, setProblem }: SignInProps) {
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem('');
    try {
      await signIn(String(form.get('login')), String(form.get('password')));
      await arrive();
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <span className="space" />
      {problem && (
        <span className="problem" role="alert">
          {problem}
        </span>
      )}
      <form onSubmit={(event) => void submit(event)} aria-label="Sign in">
        <input name="login" type="email" autoComplete="username" placeholder="E-mail" aria-label="E-mail" required />
        <input name="password" type="password" autoComplete="current-password" placeholder="Password" aria-label="Password" required />
        <button type="submit" disabled={busy}>
          {busy ? 'Signing in …' : 'Sign in'}
        </button>
      </form>
    </>
  );
}
