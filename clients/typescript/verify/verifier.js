// The check of exports and certificates over the Wasm module, wherever that was loaded from.
import init, { checkCertificate, checkExport } from './module/verify.js';

const source = (archive) =>
  archive instanceof Uint8Array
    ? { length: archive.length, read: (offset, length) => archive.subarray(offset, offset + length) }
    : archive;

const jwksText = (jwks) => (typeof jwks === 'string' ? jwks : JSON.stringify(jwks));

let loading;

/** The verifier; the module is loaded once, and anew after it could not be. */
export function verifier(module) {
  loading ??= init(module).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading.then(() => ({
    checkExport: (archive, { jwks, head }) => {
      const bytes = source(archive);
      return JSON.parse(checkExport(bytes, bytes.length, jwksText(jwks), head));
    },
    checkCertificate: (text, { jwks }) => JSON.parse(checkCertificate(text, jwksText(jwks))),
  }));
}
