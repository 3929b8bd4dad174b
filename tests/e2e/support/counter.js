// The delivered worker as it is, with a counter around it: the main module of the servers of `billed.rs`, and of
// nothing else. It counts what the platform bills: requests to each class of objects, alarms among them, and rows
// read and written as the platform's own cursors report them; setting an alarm is billed as a row written.
//
// `GET /billed` answers what was counted since the start. From `GET /billed/hold` to `GET /billed/go` alarms wait, so
// that what is measured in between is none of theirs.
import inner, * as delivered from './index.js';

const counts = { requests: {}, alarms: 0, read: 0, written: 0 };
let cursors = [];
let areAlarmsHeld = false;
const LOOK_AGAIN_MS = 10;
const patched = new WeakSet();

/** Replaces a method of the platform's class of which `object` is one. */
function around(object, name, wrap) {
  const prototype = Object.getPrototypeOf(object);
  const original = prototype[name];
  if (typeof original !== 'function') {
    throw new Error(`the platform has no ${name}`);
  }
  prototype[name] = wrap(original);
}

function count(storage) {
  const prototype = Object.getPrototypeOf(storage.sql);
  if (patched.has(prototype)) {
    return;
  }
  patched.add(prototype);
  around(storage.sql, 'exec', (exec) => function (...args) {
    const cursor = exec.apply(this, args);
    cursors.push(cursor);
    return cursor;
  });
  around(storage, 'setAlarm', (setAlarm) => function (...args) {
    counts.written += 1;
    return setAlarm.apply(this, args);
  });
}

/** What was counted. A cursor that is at its end knows its rows for good; the worker always steps to the end. */
function report() {
  for (const { rowsRead, rowsWritten } of cursors) {
    counts.read += rowsRead;
    counts.written += rowsWritten;
  }
  cursors = [];
  return Response.json(counts);
}

/** A class whose instances' handlers are wrapped. */
const aroundEach = (constructor, wrap, made = () => {}) => new Proxy(constructor, {
  construct(target, args, newTarget) {
    made(...args);
    const instance = Reflect.construct(target, args, newTarget);
    return new Proxy(instance, {
      get(inside, name) {
        const value = Reflect.get(inside, name, inside);
        const isHandler = (name === 'fetch' || name === 'alarm') && typeof value === 'function';
        return isHandler ? wrap(name, (...args) => Reflect.apply(value, inside, args)) : value;
      },
    });
  },
});

const counted = (name) => aroundEach(
  delivered[name],
  (handler, call) => async (...args) => {
    while (handler === 'alarm' && areAlarmsHeld) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
    counts.requests[name] = (counts.requests[name] ?? 0) + 1;
    counts.alarms += handler === 'alarm' ? 1 : 0;
    return call(...args);
  },
  (state) => count(state.storage),
);

export const CustomerObject = counted('CustomerObject');
export const DirectoryObject = counted('DirectoryObject');
export const OperatorObject = counted('OperatorObject');
export const KeyVaultObject = counted('KeyVaultObject');

export default {
  fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith('/billed')) {
      return inner.fetch(request, env, context);
    }
    areAlarmsHeld = pathname === '/billed' ? areAlarmsHeld : pathname === '/billed/hold';
    return report();
  },
};
