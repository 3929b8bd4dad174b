// A list of names and values that can be added to and taken from, such as metadata.
import { useId } from 'preact/hooks';
import { Icon } from '../parts/icon';

export type Pair = readonly [name: string, value: string];

/** As an object; of a name that comes twice the last counts. */
export function objectOf(pairs: readonly Pair[]): Record<string, string> {
  return Object.fromEntries(pairs.filter(([name]) => name !== ''));
}

/** A merge patch (RFC 7396) from one object to another; undefined where they are the same. */
export function patchOf<V>(from: Readonly<Record<string, V>>, to: Readonly<Record<string, V>>): Record<string, V | null> | undefined {
  const removed = Object.keys(from).filter((name) => !Object.hasOwn(to, name));
  const changed = Object.entries(to).filter(([name, value]) => !Object.hasOwn(from, name) || from[name] !== value);
  const patch = Object.fromEntries([...removed.map((name) => [name, null] as const), ...changed]);
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** A name as it stands in a JSON Pointer (RFC 6901, fragment form). */
const escaped = (name: string): string => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));

interface Props {
  readonly title: string;
  readonly hint: string;
  readonly pairs: readonly Pair[];
  readonly change: (pairs: readonly Pair[]) => void;
  readonly faults: ReadonlyMap<string, string>;
  /** The pointer of the whole, such as `#/metadata`. */
  readonly pointer: string;
}

export function Pairs({ title, hint, pairs, change, faults, pointer }: Props) {
  const id = useId();
  const set = (index: number, pair: Pair): void => change(pairs.map((each, at) => (at === index ? pair : each)));
  const faultOf = (name: string): string | undefined =>
    faults.get(`${pointer}/${escaped(name)}`) ?? faults.get(`${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  return (
    <fieldset class="pairs">
      <legend>{title}</legend>
      <p class="hint">{hint}</p>
      {faults.has(pointer) && <p class="fault">{faults.get(pointer)}</p>}
      {pairs.map(([name, value], index) => {
        const fault = faultOf(name);
        const more = { 'aria-describedby': `${id}-${index}`, 'aria-invalid': fault !== undefined };
        return (
          <div class="pair" key={index}>
            <input aria-label={`Name ${index + 1}`} placeholder="Name" value={name} {...more} onInput={(event) => set(index, [event.currentTarget.value, value])} />
            <input aria-label={`Value of ${name || `name ${index + 1}`}`} placeholder="Value" value={value} {...more} onInput={(event) => set(index, [name, event.currentTarget.value])} />
            <button type="button" class="copy" aria-label={`Remove ${name || `row ${index + 1}`}`} onClick={() => change(pairs.filter((_, at) => at !== index))}>
              <Icon name="close" />
            </button>
            <p class="fault" id={`${id}-${index}`}>
              {fault}
            </p>
          </div>
        );
      })}
      <button type="button" class="button" onClick={() => change([...pairs, ['', '']])}>
        <Icon name="plus" />
        Add
      </button>
    </fieldset>
  );
}
