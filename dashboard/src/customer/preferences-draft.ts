// The preferences as the form has them, flat, and the merge patch that a change of them makes. Values under `custom`
// belong to programs; the form leaves them as they are.
import type { components } from '@user-api/client';
import type { Difference } from '../edit/conflict';
import type { Preferences } from '../sources';

export interface PreferencesDraft {
  readonly theme: Preferences['theme'];
  readonly language: string;
  readonly timeZone: string;
  readonly emailVisibility: Preferences['emailVisibility'];
  readonly email: boolean;
  readonly product: boolean;
  readonly security: boolean;
}

export const LABELS = {
  theme: 'Theme',
  language: 'Language',
  timeZone: 'Time zone',
  emailVisibility: 'Who sees my e-mail address',
  email: 'Notifications: e-mail',
  product: 'Notifications: product',
  security: 'Notifications: security',
} as const satisfies Record<keyof PreferencesDraft, string>;

const NOTIFICATIONS = ['email', 'product', 'security'] as const;
const NAMES = Object.keys(LABELS) as (keyof PreferencesDraft)[];
export const SHOWN = ['theme', 'language', 'timeZone', 'emailVisibility', 'notifications'].map((field) => `#/${field}`);

export function draftOf({ theme, language, timeZone, emailVisibility, notifications }: Preferences): PreferencesDraft {
  return { theme, language: language ?? '', timeZone: timeZone ?? '', emailVisibility, ...notifications };
}

export function patchFrom(base: PreferencesDraft, draft: PreferencesDraft): components['schemas']['PreferencesPatch'] {
  const changed = NAMES.filter((name) => base[name] !== draft[name]);
  const top = changed.filter((name) => !NOTIFICATIONS.includes(name as (typeof NOTIFICATIONS)[number]));
  const notifications = NOTIFICATIONS.filter((name) => changed.includes(name)).map((name) => [name, draft[name]]);
  return {
    ...Object.fromEntries(top.map((name) => [name, draft[name] === '' ? null : draft[name]])),
    ...(notifications.length === 0 ? {} : { notifications: Object.fromEntries(notifications) }),
  };
}

const word = (value: string | boolean): string => (value === true ? 'yes' : value === false ? 'no' : value);

export function differences(mine: PreferencesDraft, now: Preferences): Difference[] {
  const theirs = draftOf(now);
  return NAMES.filter((name) => mine[name] !== theirs[name]).map((name) => ({
    name: LABELS[name],
    mine: word(mine[name]),
    theirs: word(theirs[name]),
  }));
}
