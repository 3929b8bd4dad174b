// For node, which fetches no files.
import { readFile } from 'node:fs/promises';
import { verifier } from './verifier.js';

export const loadVerifier = () => verifier({ module_or_path: readFile(new URL('./module/verify_bg.wasm', import.meta.url)) });
