// The bytes of an archive as they come, up to a bound. They are handed over to the browser in pieces, which keeps a
// large Blob on disk where it can, so that the page itself holds little of it.

/** Largest archive that the page takes in, in bytes. */
export const MAX_ARCHIVE_BYTES = 512_000_000;
/** How much the page holds itself, in bytes. */
const PIECE_BYTES = 4_000_000;

/** The archive is larger than the page takes in. */
export class TooLarge extends Error {}

/** The download ended before its time. */
export class BrokenOff extends Error {
  constructor(readonly bytes: number, cause: unknown) {
    super('the download broke off', { cause });
  }
}

export async function gather(body: ReadableStream<Uint8Array<ArrayBuffer>>, progress: (bytes: number) => void): Promise<Blob> {
  const reader = body.getReader();
  const pieces: Blob[] = [];
  let piece: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let held = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new BrokenOff(bytes, cause);
    });
    if (done) {
      return new Blob([...pieces, ...piece], { type: 'application/zip' });
    }
    bytes += value.byteLength;
    held += value.byteLength;
    if (bytes > MAX_ARCHIVE_BYTES) {
      void reader.cancel();
      throw new TooLarge();
    }
    piece.push(value);
    if (held >= PIECE_BYTES) {
      pieces.push(new Blob(piece));
      piece = [];
      held = 0;
    }
    progress(bytes);
  }
}

/** The name that the service gives the file. */
export function nameOf(response: Response): string {
  return /filename="([\w.-]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? 'user-api-export.zip';
}

/** Has the browser keep a file. */
export function save(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}
