// The profile as the form has it, and the merge patch that a change of it makes.
import type { components } from '@user-api/client';
import type { Difference } from '../edit/conflict';
import { objectOf, patchOf } from '../edit/pairs';
import type { Pair } from '../edit/pairs';
import type { Customer } from '../sources';

export interface ProfileDraft {
  readonly name: string;
  readonly companyName: string;
  readonly displayName: string;
  readonly metadata: readonly Pair[];
}

export const FIELDS = [
  ['name', 'Name'],
  ['companyName', 'Company'],
  ['displayName', 'Display name'],
] as const;

export function draftOf({ name, companyName, displayName, metadata }: Customer): ProfileDraft {
  return {
    name: name ?? '',
    companyName: companyName ?? '',
    displayName: displayName ?? '',
    metadata: Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

/** Only what was changed, so that nothing else is sent back. */
export function patchFrom(base: ProfileDraft, draft: ProfileDraft): components['schemas']['CustomerPatch'] {
  const patch: components['schemas']['CustomerPatch'] = {};
  for (const [field] of FIELDS) {
    if (base[field] !== draft[field]) {
      patch[field] = draft[field] === '' ? null : draft[field];
    }
  }
  const metadata = patchOf(objectOf(base.metadata), objectOf(draft.metadata));
  return metadata === undefined ? patch : { ...patch, metadata };
}

const words = (pairs: readonly Pair[]): string => pairs.map(([name, value]) => `${name}: ${value}`).join(', ');

/** Where what I have differs from what there is now. */
export function differences(mine: ProfileDraft, now: Customer): Difference[] {
  const theirs = draftOf(now);
  const found: Difference[] = FIELDS.map(([field, name]) => ({ name, mine: mine[field], theirs: theirs[field] }));
  found.push({ name: 'Metadata', mine: words(mine.metadata), theirs: words(theirs.metadata) });
  return found.filter((each) => each.mine !== each.theirs);
}
