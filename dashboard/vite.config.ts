// The build of the dashboard: one script, one style sheet, one icon, and the worker that checks exports with its
// module, which only an export loads; all named after their content, in build/dashboard/.
// scripts/assets.mjs runs it and puts the result where the worker serves it from.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  base: '/dashboard/',
  // The client's source, so that no build of it has to come first.
  resolve: {
    alias: {
      '@user-api/client/verify': here('../clients/typescript/verify/browser.js'),
      '@user-api/client': here('../clients/typescript/src/index.ts'),
    },
  },
  worker: { format: 'es' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: here('../build/dashboard'),
    emptyOutDir: true,
    target: ['chrome123', 'firefox121', 'safari17.5'],
    assetsDir: '',
    // Everything is a file: the Content-Security-Policy allows no data: address.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
