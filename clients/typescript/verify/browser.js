// For browsers and their bundlers: the module is fetched from beside this script. The page, or the worker that calls
// this, needs `script-src 'wasm-unsafe-eval'`.
import { verifier } from './verifier.js';

export const loadVerifier = () => verifier();
