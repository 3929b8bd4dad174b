// A state as a coloured word; the word alone says it all.
const WORDS: Readonly<Record<string, readonly [string, 'good' | 'warn' | 'bad' | 'calm']>> = {
  active: ['Active', 'good'],
  pending_verification: ['E-mail not verified', 'warn'],
  suspended: ['Suspended', 'bad'],
  cancelled: ['Cancelled', 'calm'],
  erased: ['Erased', 'calm'],
  rotated: ['Replaced', 'warn'],
  revoked: ['Revoked', 'calm'],
  expired: ['Expired', 'calm'],
};

export function Badge({ state }: { state: string }) {
  const [word, tone] = WORDS[state] ?? [state, 'calm'];
  return <span class={`badge badge-${tone}`}>{word}</span>;
}

const PLANS: Readonly<Record<string, string>> = { free: 'Free', starter: 'Starter', pro: 'Pro', enterprise: 'Enterprise' };

export function Plan({ plan }: { plan: string }) {
  return <span class="plan">{PLANS[plan] ?? plan}</span>;
}
