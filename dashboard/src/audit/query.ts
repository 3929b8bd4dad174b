// The filters of a log as a form has them, and as the service takes them.
export interface Filters {
  readonly actor: string;
  readonly action: string;
  readonly outcome: string;
  /** Moments as `datetime-local` fields have them, in the reader's time zone. */
  readonly from: string;
  readonly to: string;
}

export const NO_FILTERS: Filters = { actor: '', action: '', outcome: '', from: '', to: '' };

export interface Query {
  readonly actor?: string;
  readonly action?: string;
  readonly outcome?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

function moment(local: string): string | undefined {
  const at = new Date(local);
  return local === '' || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

export function queryOf(filters: Filters): Query {
  const found = {
    actor: filters.actor.trim() || undefined,
    action: filters.action || undefined,
    outcome: filters.outcome || undefined,
    from: moment(filters.from),
    to: moment(filters.to),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}
