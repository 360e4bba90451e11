import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The server serves dist/ under /graphiql. Nothing is loaded from anywhere else, so everything is bundled.
export default defineConfig({
  base: '/graphiql/',
  plugins: [react()],
  build: { target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 4000, assetsInlineLimit: 0 },
  server: { proxy: { '/graphql': { target: 'http://127.0.0.1:8080', ws: true } } },
});
