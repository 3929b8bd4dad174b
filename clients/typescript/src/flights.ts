// Reads that are under way: identical ones at the same time are one request.
import { within } from './wait.js';

interface Flight<T> {
  readonly promise: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

export class Flights<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** What the request of that key gives, which is begun unless it is under way. It ends early only when nobody waits. */
  async join(key: string, signal: AbortSignal, begin: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const flight = this.#flights.get(key) ?? this.#begin(key, begin);
    flight.waiting += 1;
    try {
      return await within(signal, flight.promise);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        this.#forget(key, flight);
        flight.controller.abort(new DOMException('nobody waits', 'AbortError'));
      }
    }
  }

  /** Nobody joins what is under way any more: something changes, and what is asked from now on must show it. */
  close(): void {
    this.#flights.clear();
  }

  #begin(key: string, begin: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = { promise: begin(controller.signal), controller, waiting: 0 };
    const end = (): void => this.#forget(key, flight);
    flight.promise.then(end, end);
    this.#flights.set(key, flight);
    return flight;
  }

  /** A newer one under the same key stays. */
  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) {
      this.#flights.delete(key);
    }
  }
}
