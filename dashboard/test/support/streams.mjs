// What can happen to the bytes of an export on their way, as scripts that a page runs first: each changes what `fetch`
// answers for the export.

/** The first download ends in the middle. */
export function broken() {
  const { fetch } = globalThis;
  let count = 0;
  globalThis.fetch = async (...args) => {
    const response = await fetch(...args);
    count += String(args[0]).endsWith('/export') ? 1 : 0;
    if (count !== 1 || !String(args[0]).endsWith('/export')) {
      return response;
    }
    const reader = response.body.getReader();
    let reads = 0;
    const body = new ReadableStream({
      async pull(controller) {
        const { value } = await reader.read();
        reads += 1;
        if (reads > 1 || value === undefined) {
          controller.error(new TypeError('network error'));
        } else {
          controller.enqueue(value.subarray(0, 1_000));
        }
      },
    });
    return new Response(body, response);
  };
}

/** It never ends, and brings 5 kB each quarter of a second. */
export function slow() {
  const { fetch } = globalThis;
  globalThis.fetch = async (...args) => {
    if (!String(args[0]).endsWith('/export')) {
      return fetch(...args);
    }
    const body = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        controller.enqueue(new Uint8Array(5_000));
      },
    });
    return new Response(body, { headers: { 'Content-Type': 'application/zip' } });
  };
}

/** One piece is a gigabyte, or says so: no test has the memory. */
export function huge() {
  const { fetch } = globalThis;
  globalThis.fetch = async (...args) => {
    if (!String(args[0]).endsWith('/export')) {
      return fetch(...args);
    }
    const response = new Response('', { headers: { 'Content-Type': 'application/zip' } });
    const reader = { read: async () => ({ done: false, value: { byteLength: 2 ** 30 } }), cancel: async () => {} };
    Object.defineProperty(response, 'body', { value: { getReader: () => reader } });
    return response;
  };
}
