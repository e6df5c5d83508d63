/**
 * How the portal is built: hashed files below /assets, nothing inlined (the policy of the page allows no inline script), and
 * a place for the nonce that the hub draws for each page it gives out.
 */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  html: { cspNonce: 'NONCE_OF_THE_PAGE' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2_000,
  },
});
