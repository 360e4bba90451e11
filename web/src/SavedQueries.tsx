// The list of saved queries: a GraphiQL plugin that opens one in a tab of its own.

import { useEditorContext, type GraphiQLPlugin } from '@graphiql/react';

import { SAVED, type SavedQuery } from './saved';

function Content() {
  const editor = useEditorContext({ nonNull: true });
  const open = (saved: SavedQuery) => {
    const already = editor.tabs.findIndex((tab) => tab.query?.trim() === saved.query.trim());
    if (already >= 0) {
      editor.changeTab(already);
      return;
    }
    const empty = !editor.queryEditor?.getValue().trim();
    if (!empty) editor.addTab();
    // The new tab's editors exist after this render.
    setTimeout(() => {
      editor.queryEditor?.setValue(saved.query);
      editor.variableEditor?.setValue(saved.variables);
      editor.responseEditor?.setValue('');
      editor.queryEditor?.focus();
    }, 0);
  };
  return (
    <div className="saved" data-testid="saved-queries">
      <h2>Saved queries</h2>
      <p>A manager’s day. Each one opens in its own tab; press the run button or Ctrl-Enter.</p>
      <ul>
        {SAVED.map((saved) => (
          <li key={saved.name}>
            <button type="button" data-query={saved.name} onClick={() => open(saved)}>
              <b>{saved.title}</b>
              <span>{saved.about}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Icon() {
  return (
    <svg height="1em" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.75" aria-hidden="true">
      <path d="M5 4h14v16l-7-4-7 4z" strokeLinejoin="round" />
    </svg>
  );
}

export const savedQueriesPlugin: GraphiQLPlugin = { title: 'Saved queries', icon: Icon, content: Content };
