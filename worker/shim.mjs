// The entry of the module, in the place of worker-build's, whose proxies around every object, method and request are a
// twelfth of what a small request costs. What they are for is done here, too: a trap (which nothing in this service
// gives reason to) leaves Wasm's memory as it stood, so the next call begins with a new one, and so does every object.
import * as wasm from './index.js';

Error.stackTraceLimit = 100;
const state = wasm.__worker_init_state();

function renew() {
  if (state.criticalError) {
    console.log('Reinitializing Wasm application');
    wasm.__wbg_reset_state();
    state.criticalError = false;
    state.instanceId++;
  }
}

function note(error) {
  if (error instanceof WebAssembly.RuntimeError) {
    console.error('Critical', error);
    state.criticalError = true;
  }
  return error;
}

addEventListener('error', ({ error }) => note(error));
addEventListener('unhandledrejection', ({ reason }) => note(reason));

/** A class whose objects are made anew after a trap. */
const object = (Class) =>
  class {
    #args;
    #instance;
    #of;

    constructor(...args) {
      this.#args = args;
      this.#current();
    }

    #current() {
      renew();
      if (this.#of !== state.instanceId) {
        try {
          this.#instance = new Class(...this.#args);
        } catch (error) {
          state.criticalError = true;
          throw error;
        }
        this.#of = state.instanceId;
      }
      return this.#instance;
    }

    fetch(request) {
      const instance = this.#current();
      try {
        return instance.fetch(request);
      } catch (error) {
        throw note(error);
      }
    }

    alarm() {
      const instance = this.#current();
      try {
        return instance.alarm();
      } catch (error) {
        throw note(error);
      }
    }
  };

export default {
  fetch(request, env, context) {
    renew();
    try {
      const response = wasm.fetch(request, env);
      // A request goes on to its end and its log line although its client has gone.
      if (response instanceof Promise) context.waitUntil(response);
      return response;
    } catch (error) {
      throw note(error);
    }
  },
};

export const CustomerObject = object(wasm.CustomerObject);
export const DirectoryObject = object(wasm.DirectoryObject);
export const OperatorObject = object(wasm.OperatorObject);
export const KeyVaultObject = object(wasm.KeyVaultObject);
