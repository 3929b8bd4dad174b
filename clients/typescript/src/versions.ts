// The answers that were read last, with their versions.

/** Most resources whose last version is remembered. */
const MAX_REMEMBERED = 100;

export class Versions<T> {
  readonly #known = new Map<string, { readonly etag: string; readonly raw: T }>();

  get(key: string): { readonly etag: string; readonly raw: T } | undefined {
    return this.#known.get(key);
  }

  set(key: string, etag: string, raw: T): void {
    this.#known.delete(key);
    this.#known.set(key, { etag, raw });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_REMEMBERED) {
        break;
      }
      this.#known.delete(oldest);
    }
  }

  clear(): void {
    this.#known.clear();
  }
}
