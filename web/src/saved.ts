// Saved queries live in queries/*.graphql. The first comment line is the title, the next ones say what it answers;
// a line "# variables: {…}" fills the variables editor. A test checks every one against schema.graphql.

export interface SavedQuery {
  name: string;
  title: string;
  about: string;
  query: string;
  variables: string;
}

const files = import.meta.glob<string>('./queries/*.graphql', { query: '?raw', import: 'default', eager: true });

function read(path: string, text: string): SavedQuery {
  const comments: string[] = [];
  let variables = '';
  const lines = text.split('\n');
  while (lines[0]?.startsWith('#')) {
    const line = (lines.shift() ?? '').replace(/^#\s?/, '');
    if (line.startsWith('variables:')) variables = JSON.stringify(JSON.parse(line.slice('variables:'.length)), null, 2);
    else comments.push(line);
  }
  const name = path.replace(/^.*\/\d*-?/, '').replace('.graphql', '');
  return { name, title: comments[0] ?? name, about: comments.slice(1).join(' '), query: lines.join('\n').trimStart(), variables };
}

export const SAVED: SavedQuery[] = Object.entries(files)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([path, text]) => read(path, text));
