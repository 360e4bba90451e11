import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './app.css';

import { createRoot } from 'react-dom/client';

import { App } from './App';

const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
