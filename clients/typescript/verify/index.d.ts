// Checking what the service signed, in JavaScript: the same check as `user-api verify`, as a Wasm module that is loaded
// when it is first asked for.

/** Bytes that stay where they are: a file, a Blob in a worker. A piece is asked for at a time, at most 256 KiB. */
export interface Bytes {
  readonly length: number;
  /** Exactly those bytes; it must answer at once. */
  read(offset: number, length: number): Uint8Array;
}

export interface Options {
  /** The service's public keys, as its `/.well-known/jwks.json` gives them. */
  readonly jwks: string | object;
}

export interface ExportOptions extends Options {
  /** A checkpoint that was kept (`checkpoint` of `/customer/me/audit/head`): the log must pass through it. */
  readonly head?: string;
}

/** Where it is wrong, and what is, for a person. */
export interface Fault {
  readonly place: 'keys' | 'checkpoint' | 'certificate' | 'entry' | 'log' | 'archive' | 'file';
  /** The file, if the place is one. */
  readonly file: string | null;
  /** The number of the audit entry, if the place is one. */
  readonly seq: number | null;
  readonly what: string;
  /** Place and what in one sentence. */
  readonly text: string;
}

export type Verdict<T> = { readonly report: T; readonly fault?: undefined } | { readonly fault: Fault; readonly report?: undefined };

/** What a sound export says of itself. */
export interface ExportReport {
  readonly customerId: string;
  readonly exportId: string;
  readonly madeAt: string;
  readonly madeBy: { readonly kind: string; readonly id: string };
  /** The key that signed it. */
  readonly kid: string;
  readonly files: readonly { readonly name: string; readonly mediaType: string; readonly bytes: number; readonly sha256: string }[];
  /** Fields and details that the service could not open. */
  readonly unreadable: number;
  readonly log: {
    readonly entries: number;
    readonly firstAt: string;
    readonly lastAt: string;
    /** Entries whose detail is in the archive. */
    readonly details: number;
    readonly hash: string;
    /** The signed note of the log's end: keep it, and a later export can be held against it. */
    readonly checkpoint: string;
  };
}

/** What a genuine certificate of an erasure says. */
export interface CertificateReport {
  readonly kid: string;
  readonly certificate: {
    readonly customerId: string;
    readonly askedBy: { readonly kind: string; readonly id: string };
    readonly requestedAt: string;
    readonly dueAt: string;
    readonly erasedAt: string;
    readonly completedAt: string;
    readonly destroyed: Readonly<Record<string, number>>;
    readonly kept: readonly { readonly what: string; readonly why: string }[];
    readonly notReached: readonly { readonly what: string; readonly why: string }[];
    readonly keyRecoverableUntil: string;
  };
}

export interface Verifier {
  /** Checks an archive from its first byte to its last. Takes as long as reading all of it: use a worker. */
  checkExport(archive: Uint8Array | Bytes, options: ExportOptions): Verdict<ExportReport>;
  /** Checks a certificate: the text itself, or the JSON document that brought it. */
  checkCertificate(text: string, options: Options): Verdict<CertificateReport>;
}

/** Loads the module, once. */
export function loadVerifier(): Promise<Verifier>;
